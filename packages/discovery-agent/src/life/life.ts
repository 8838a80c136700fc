import { AgentError, AgentErrorCode } from '../errors.ts';
import { readMachineUuid } from '../inventory/firmware.ts';
import { lokiSink } from '../log/loki.ts';
import type { LokiTarget } from './agent-policy.ts';
import { holdForInstaller, leaveToOwner } from './allocated.ts';
import { EventType } from './api.ts';
import { configUrl, parseCmdline } from './cmdline.ts';
import { fetchNext, obtainConfig } from './config-fetch.ts';
import type { ConfigSource } from './config-fetch.ts';
import type { AgentConfig } from './agent-config.ts';
import { announceBeginning } from './death.ts';
import { discover } from './discover.ts';
import { followTime } from './machine-clock.ts';
import { useNameServers } from './name-servers.ts';
import { followTimeServers } from './network-time.ts';
import { Outbox } from './outbox.ts';
import type { Life, LifeParts } from './parts.ts';
import { register } from './registration.ts';
import { Session } from './session.ts';
import { askStanding } from './standing.ts';
import { waitForWork } from './waiting.ts';
import type { WaitingEnd } from './waiting.ts';
import { carryOutWipeOrders } from './wipe-order.ts';

const heartbeatMs = 180_000;
const roundMs = 150_000;
/**
 * Larger differences make fresh certificates look not yet valid and tokens expired. Board clocks are off by whole hours
 * when an operating system kept local time in them.
 */
const bootServerToleranceMs = 60_000;

/**
 * The agent's life in the discovery image: config, inventory, registration, waiting. Ends only with the signal, or by
 * throwing what it cannot mend; `/init` then starts it anew, and the next life reports how this one ended.
 *
 * It sets this machine's clock and the API's user in the BMC; it erases disks when the API orders it, never otherwise.
 */
export async function live(parts: LifeParts): Promise<void> {
  const begun = await begin(parts);
  const life = begun.life;
  const { signal, reporter, outbox, session, pulse, board } = life;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const background = (strand: Promise<never> | Promise<void>): void => void strand.catch(failed.reject);
  background(session.keepFresh());
  background(outbox.run());
  background(
    outbox.heartbeat(
      () => `${reporter.phase}: ${board.view().words}`,
      () => pulse.beat('heartbeat', heartbeatMs),
    ),
  );
  try {
    await Promise.race([follow(life), failed.promise]);
  } finally {
    begun.end();
    pulse.rest('heartbeat');
    pulse.rest('life');
    session.close();
  }
  signal.throwIfAborted();
}

/** One round after the other: from knowing nothing of the machine to having it waiting. */
async function follow(life: Life): Promise<never> {
  const { reporter, session, outbox, signal, clock, pulse } = life;
  announceBeginning(life);
  for (;;) {
    signal.throwIfAborted();
    pulse.beat('life', roundMs);
    reporter.enter('standing', 'asking the API what this machine is');
    const standing = await askStanding(session, () => clock.monotonic(), signal);
    if (standing.kind === 'allocated') {
      await leaveToOwner(life, standing);
      beginAgain(life, 'the machine is nobody’s any more');
      continue;
    }
    reporter.say('standing', standing.kind === 'free' ? 'free' : `unknown: ${standing.reason}`);

    const found = await discover(life);
    outbox.post(EventType.REGISTERING, 'registering');
    const registered = await register(life, found);
    if ((await carryOutWipeOrders(life, registered)) === 'allocated') {
      beginAgain(life, 'the machine was allocated');
      continue;
    }

    const end = await waitForWork(life, registered);
    if (end === 'allocated') await holdForInstaller(life);
    beginAgain(life, whyAgain[end]);
  }
}

const whyAgain: Readonly<Record<WaitingEnd, string>> = {
  allocated: 'the machine is nobody’s any more',
  'wipe-ordered': 'there is a wipe order',
  'bmc-answers': 'the BMC, which did not answer before, does now',
};

/** The API takes Preparing only from machines that said why they begin anew. */
function beginAgain({ outbox }: Life, why: string): void {
  if (outbox.last !== EventType.PLANNED_REBOOT)
    outbox.post(EventType.PLANNED_REBOOT, `${why}: starting over, without a reboot`);
  outbox.post(EventType.PREPARING, why);
}

/** Who stands in front of the machine shall see that somebody may be in it. */
function showDebugShell({ board, state }: LifeParts, { policy }: AgentConfig): void {
  if (state.sshHostKey() === undefined) return;
  board.show({ ssh: 'open to the debug key of this boot' });
  if (!policy.sshDebug)
    board.problem('ssh', 'the command line has a debug key that the config does not want: restart the machine');
}

async function begin(parts: LifeParts): Promise<{ readonly life: Life; readonly end: () => void }> {
  const { sysfs, clock, reporter, state, run, board } = parts;
  const url = configUrl(parseCmdline(sysfs.text('/proc/cmdline') ?? ''));
  if (url === undefined)
    throw new AgentError(
      AgentErrorCode.NoConfigUrl,
      'the kernel command line has no PIXIE_API_URL=http://…; boot through a boot server',
    );
  const uuid = readMachineUuid(sysfs);
  if (uuid === undefined)
    throw new AgentError(
      AgentErrorCode.NoUuid,
      'the board has no UUID in SMBIOS, neither as product UUID nor as product serial; set one in the BMC or BIOS setup',
    );
  const ending = new AbortController();
  const signal = AbortSignal.any([parts.signal, ending.signal]);
  board.show({ version: parts.version, uuid, waitsFor: `the config, from ${url.host}` });
  reporter.enter('config', `asking ${url.host}`);
  // Whoever asks for HTTP gets a time, too; it counts where no time server has given a better one.
  let hasNetworkTime = false;
  const askTimeServers = async ({ ntpServers }: AgentConfig): Promise<void> => {
    hasNetworkTime = await followTimeServers(ntpServers, { ...parts, signal });
  };
  const source: ConfigSource = {
    url,
    get: parts.httpGet,
    state,
    clock,
    entropy: parts.entropy,
    reporter,
    signal,
    async onServerTime(timeMs) {
      if (hasNetworkTime) return;
      const given = { by: 'the boot server', timeMs, toleranceMs: bootServerToleranceMs };
      await followTime(given, { clock, run, reporter, signal });
    },
  };
  const config = await obtainConfig(source);
  reporter.say('config', `partition ${config.partition}, API ${config.apiUrl}`);
  useNameServers(config.dnsServers, parts);
  // Before the first certificate is looked at.
  await askTimeServers(config);
  const endLog = config.loki === undefined ? undefined : logTo(config.loki, uuid, parts);
  showDebugShell(parts, config);
  board.show({ partition: config.partition, api: config.apiUrl, waitsFor: '', screen: config.policy.screen });
  const session = new Session(
    {
      ...parts,
      signal,
      async fetchNext(current) {
        const next = await fetchNext(source, current);
        // Clocks drift, and a machine may wait for months.
        await askTimeServers(next);
        return next;
      },
      connect: (current) => parts.connect(current, uuid, clock),
    },
    config,
  );
  const outbox = new Outbox({ ...parts, signal, session });
  return {
    life: { ...parts, signal, uuid, session, outbox },
    end: () => {
      ending.abort(new Error('the life is over'));
      endLog?.();
    },
  };
}

/** The console's lines go to Loki, too. Its troubles are said here, and so would go to it: once, not in a circle. */
function logTo(target: LokiTarget, machine: string, { clock, entropy, reporter, postJson }: LifeParts): () => void {
  const onTrouble = (words: string): void => reporter.say(reporter.phase, words);
  const { write, stop } = lokiSink(target, { clock, entropy, post: postJson, onTrouble, machine });
  const remove = reporter.addSink(write);
  return () => {
    remove();
    stop();
  };
}
