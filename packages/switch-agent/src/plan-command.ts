import { createMetrics, loadConfig, MemoryLogger } from '@ingot/daemon';
import { systemClock, type Clock } from '@ingot/net';
import { connectApi, type DesiredSwitch } from './api.ts';
import { readCa } from './api-ca.ts';
import type { CommandSurroundings } from './command-surroundings.ts';
import { type SwitchAgentConfig, switchAgentConfig } from './config.ts';
import { leafConfigOf } from './config/fabric.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
import { ExitStatus } from './exit-status.ts';
import type { FabricModel } from './fabric-model.ts';
import { frrOf } from './frr/from-config.ts';
import { switchHostname } from './identity.ts';
import { namePorts } from './naming.ts';
import { readPorts } from './ports.ts';
import { portsLost, readRemembered } from './reconcile/desired-file.ts';
import { observeConfig } from './reconcile/observe.ts';
import { planCycle } from './reconcile/plan.ts';
import { changesAnything, planJson, planText, type Preview } from './reconcile/plan-text.ts';
import { wishesOf } from './reconcile/wishes.ts';
import { readSonicVersion } from './sonic-version.ts';
import { openDatabases, type SwitchDatabases } from './switch-databases.ts';

const USAGE = `ingot-switch plan [--json] [--offline] [options of ingot-switch run]

Prints what the next cycle of the daemon would change on this switch, in its order, and changes nothing.

  --json     for programs
  --offline  do not ask the API; take what it wanted last (stateFile)

Status: 0 nothing differs, 1 something does, 2 it could not be found out.
`;

/** `ingot-switch plan`; resolves to the exit status. */
export async function planCommand(args: readonly string[], surroundings: CommandSurroundings): Promise<number> {
  const { out, err, env, signal } = surroundings;
  const own = new Set(['--json', '--offline']);
  const loaded = await loadConfig(switchAgentConfig, { argv: args.filter((arg) => !own.has(arg)), env });
  if (loaded.kind === 'help') {
    out(`${USAGE}\n${loaded.text}`);
    return ExitStatus.Done;
  }
  if (loaded.kind === 'print') {
    out(loaded.text);
    return ExitStatus.Done;
  }
  if (loaded.kind === 'error') {
    err(`ingot-switch plan: ${loaded.error.message}\n`);
    return ExitStatus.Failed;
  }
  try {
    const preview = await previewOf(loaded.config, {
      isOffline: args.includes('--offline'),
      clock: systemClock,
      err,
      signal,
    });
    out(args.includes('--json') ? planJson(preview) : planText(preview));
    return changesAnything(preview) ? ExitStatus.Found : ExitStatus.Done;
  } catch (error) {
    if (!(error instanceof SwitchAgentError) && !signal.aborted) throw error;
    err(`ingot-switch plan: ${reasonOf(error)}\n`);
    return ExitStatus.Failed;
  }
}

interface PreviewOptions {
  readonly isOffline: boolean;
  readonly clock: Clock;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
}

async function previewOf(config: SwitchAgentConfig, options: PreviewOptions): Promise<Preview> {
  const leaf = leafConfigOf({ ...config, reconfigure: true });
  if (leaf === undefined)
    throw new SwitchAgentError(SwitchAgentErrorCode.Config, 'asn, loopback and uplinks are not set');
  const hostname = switchHostname(config.hostname);
  const remembered = await readRemembered(config.stateFile).catch((error: unknown) => {
    options.err(`ingot-switch plan: ${reasonOf(error)}\n`);
    return undefined;
  });
  const asked = options.isOffline ? undefined : await ask(config, hostname, options);
  const desired = asked === undefined || portsLost(remembered, asked) > 0 ? remembered?.desired : asked;
  if (desired === undefined) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.StateFile,
      `${config.stateFile} does not exist, and the API was not asked or did not answer: nobody knows what is wanted`,
    );
  }
  const databases = openDatabases(config, options.clock);
  try {
    const names = namePorts(config.namingSchema, await readPorts(databases.configDb, () => {}));
    const plan = planCycle({
      config: await observeConfig(databases.configDb),
      wishes: wishesOf({
        desired,
        leaf,
        portOf: (nicName) => names.portOf(nicName),
        stickyAdmin: remembered?.admin ?? new Map(),
      }),
      leaf,
      hostname,
      logLevel: config.logLevel,
    });
    return { plan, frr: await frrLines(config, plan.model, databases, options) };
  } finally {
    databases.close();
  }
}

/** What FRR would have to change; undefined when it is left alone. */
async function frrLines(
  config: SwitchAgentConfig,
  model: FabricModel,
  { configDb }: SwitchDatabases,
  { clock, signal }: PreviewOptions,
): Promise<readonly string[] | undefined> {
  if (!config.frr.enabled) return undefined;
  const frr = frrOf(config.frr, {
    managementInterface: config.managementInterface,
    cycleMs: config.cycleTimeoutSeconds * 1000,
    osVersion: await readSonicVersion(config.sonicVersionFile),
    configDb,
    clock,
    // What a look at FRR counts and logs is for the daemon.
    metrics: createMetrics(),
    log: new MemoryLogger(),
  });
  return frr.preview(model, signal);
}

/** What the API wants now; undefined, and said, when it cannot be asked. */
async function ask(
  config: SwitchAgentConfig,
  hostname: string,
  { err, signal }: PreviewOptions,
): Promise<DesiredSwitch | undefined> {
  const api = connectApi({
    url: config.api.url,
    ca: await readCa(config.api.caFile),
    tokenFile: config.api.tokenFile,
    timeoutMs: config.api.timeoutSeconds * 1000,
  });
  try {
    return await api.get(hostname, signal);
  } catch (error) {
    signal.throwIfAborted();
    err(`ingot-switch plan: the API: ${reasonOf(error)}; this is against what it wanted last\n`);
    return undefined;
  } finally {
    api.close();
  }
}
