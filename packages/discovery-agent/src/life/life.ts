import { constants as osConstants } from 'node:os';
import { ApiError, Code } from '@ingot/api';
import { retrySchedule } from '@ingot/net';
import type { Clock, Entropy, Network } from '@ingot/net';
import type { BmcSearch } from '../bmc/bmc.ts';
import { configureBmc, defaultBmcPolicy } from '../bmc/configure-bmc.ts';
import type { Ipmi } from '../bmc/ipmi.ts';
import type { RunCommand } from '../command.ts';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { inventorySummary } from '../inventory-text.ts';
import { readDetails } from '../inventory/details.ts';
import { readMachineUuid } from '../inventory/firmware.ts';
import { takeInventory } from '../inventory/inventory.ts';
import { findLeaves } from '../lldp/leaves.ts';
import { lldpPorts } from '../lldp/ports.ts';
import type { LldpPort } from '../lldp/ports.ts';
import type { Sysfs } from '../sysfs.ts';
import type { AgentConfig } from './agent-config.ts';
import { EventType } from './api.ts';
import type { Api } from './api.ts';
import { configUrl, parseCmdline } from './cmdline.ts';
import { obtainConfig } from './config-fetch.ts';
import type { HttpAnswer } from './http-get.ts';
import { followServerTime } from './machine-clock.ts';
import { registerRequest } from './register-request.ts';
import type { Findings } from './register-request.ts';
import type { Phase, State } from './state.ts';
import { devicesSettled } from './settle.ts';
import type { Reporter } from './reporter.ts';

export interface LifeParts {
  readonly sysfs: Sysfs;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly state: State;
  readonly reporter: Reporter;
  readonly version: string;
  readonly httpGet: (url: URL, timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly network: Network;
  readonly openIpmi: (path: string) => Ipmi;
  readonly connect: (config: AgentConfig, uuid: string, clock: Clock) => Api;
  readonly signal: AbortSignal;
}

/** Long enough for one look, when leaves were listened to before. */
const lookAgainMs = 1_000;
const aliveEveryMs = 60_000;
const maxReasonLength = 256;
/** The server notices a broken stream some seconds late; a second one before that would confuse it. */
const reconnectMs = { initialMs: 14_000, maxMs: 60_000, jitter: 0.5 };
const registerRetryMs = { initialMs: 4_000, maxMs: 60_000 };
const eventRetryMs = { initialMs: 1_000, maxMs: 15_000, retries: 4 };

/**
 * The agent's life in the discovery image: config, inventory, registration, waiting. Ends only with the signal, or by
 * throwing what it cannot mend; `/init` then starts it anew, and the next life reports how this one ended.
 *
 * It changes nothing on the machine except its clock, and the API's user in its BMC.
 */
export async function live(parts: LifeParts): Promise<void> {
  const { sysfs, clock, entropy, reporter, signal, state, run } = parts;
  const cmdline = parseCmdline(sysfs.text('/proc/cmdline') ?? '');
  const url = configUrl(cmdline);
  if (url === undefined)
    throw new AgentError(
      AgentErrorCode.NoConfigUrl,
      'the kernel command line has no PIXIE_API_URL=http://…; boot through a boot server',
    );

  reporter.enter('config', `asking ${url.host}`);
  const config = await obtainConfig({
    url,
    get: parts.httpGet,
    state,
    clock,
    entropy,
    reporter,
    signal,
    onServerTime: (dateMs) => followServerTime(dateMs, { clock, run, reporter, signal }),
  });
  reporter.say('config', `partition ${config.partition}, API ${config.apiUrl}`);

  const uuid = readMachineUuid(sysfs);
  if (uuid === undefined)
    throw new AgentError(
      AgentErrorCode.NoUuid,
      'the board has no UUID in SMBIOS, neither as product UUID nor as product serial; set one in the BMC or BIOS setup',
    );
  const api = parts.connect(config, uuid, clock);
  try {
    await liveWithApi(parts, config, uuid, api);
  } finally {
    api.close();
  }
}

async function liveWithApi(parts: LifeParts, config: AgentConfig, uuid: string, api: Api): Promise<void> {
  const { reporter, signal, state, version } = parts;
  const events = new Events(parts, api);

  const death = state.lastExit();
  if (death !== undefined) {
    const reason = death.reason === '' ? describeExit(death.code) : death.reason;
    // Preparing may follow Crashed, but not Registering or Waiting.
    await events.send(EventType.CRASHED, `${death.phase}: ${reason}`);
    state.forgetLastExit();
  }
  await events.send(EventType.PREPARING, `starting discovery agent ${version}`);

  const findings = await discover(parts, config, uuid, api);
  await events.send(EventType.REGISTERING, 'registering');
  await register(parts, api, events, findings);

  reporter.enter('waiting', 'for an allocation');
  await events.send(EventType.WAITING, 'waiting for allocation');
  const alive = parts.clock.setInterval(() => {
    void events.send(EventType.ALIVE, 'still waiting').catch(() => undefined);
  }, aliveEveryMs);
  try {
    await waitForAllocation(parts, api);
  } finally {
    alive.cancel();
  }
  signal.throwIfAborted();
}

/** Everything about the machine. LLDP takes longest, since a switch speaks when it is its turn: listen from the start. */
async function discover(parts: LifeParts, config: AgentConfig, uuid: string, api: Api): Promise<Findings> {
  const { sysfs, run, clock, signal, reporter, state, version } = parts;
  reporter.enter('inventory', 'looking for devices');
  const settled = await devicesSettled(sysfs, () => state.driversLoaded(), clock, signal);
  if (!settled) reporter.say('inventory', 'devices still come and go after 30 s; taking what is there');
  const inventory = takeInventory(sysfs);
  reporter.say('inventory', inventorySummary(inventory));
  for (const problem of inventory.problems) reporter.say('inventory', `problem: ${problem}`);
  reporter.note('inventory', { inventory });

  reporter.enter('lldp', 'listening for two leaves');
  const leaves = findLeaves({
    run,
    clock,
    signal,
    ownUuid: uuid,
    ports: () => lldpPorts(sysfs),
  });
  const [detailed, bmc, { neighbors, diagnosis }] = await Promise.all([
    readDetails(inventory, { run, clock, signal }),
    configureBmc({ ...parts, superUserPassword: (limit) => api.superUserPassword(limit) }, defaultBmcPolicy),
    leaves,
  ]);
  for (const problem of detailed.problems)
    if (!inventory.problems.includes(problem)) reporter.say('inventory', `problem: ${problem}`);
  reporter.note('inventory', { disks: detailed.disks, nics: detailed.nics });
  for (const { nic, sysName, chassisId, portId } of neighbors)
    reporter.say('lldp', `${nic} is at ${sysName || chassisId} port ${portId}`);
  if (diagnosis !== '') reporter.say('lldp', diagnosis);
  sayBmc(reporter, bmc);
  return { uuid, partition: config.partition, version, inventory: detailed, neighbors, bmc };
}

function sayBmc(reporter: Reporter, bmc: BmcSearch): void {
  switch (bmc.kind) {
    case 'none':
      reporter.say('bmc', 'none');
      break;
    case 'found':
      reporter.say('bmc', `${bmc.bmc.address} ${bmc.bmc.mac} version ${bmc.bmc.version}`);
      if (bmc.bmc.account !== undefined) reporter.say('bmc', `user ${bmc.bmc.account.user} is set up`);
      for (const problem of bmc.problems) reporter.say('bmc', `problem: ${problem}`);
      break;
    case 'unusable':
      reporter.say('bmc', `there is one, but it cannot be registered: ${bmc.reason}`);
      break;
  }
}

/** Until it succeeds: whoever recables or configures a switch need not restart the machine. */
async function register(parts: LifeParts, api: Api, events: Events, findings: Findings): Promise<void> {
  const { reporter, clock, entropy, signal } = parts;
  reporter.enter('register', `as ${findings.uuid}`);
  const delays = retrySchedule({ ...registerRetryMs, entropy });
  let current = findings;
  for (;;) {
    try {
      const { size } = await api.register(registerRequest(current), signal);
      reporter.say('register', `done, size ${size}`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const delayMs = delays.next().value ?? registerRetryMs.maxMs;
      const name = error instanceof ApiError ? `${error.codeName}: ` : '';
      reporter.say('register', `${name}${reasonOf(error)}; again in ${Math.ceil(delayMs / 1000)} s`);
      if (isRefusal(error)) {
        await events.send(EventType.CRASHED, `register: ${reasonOf(error)}`);
        await clock.sleep(delayMs, signal);
        await events.send(EventType.PREPARING, 'registering again');
        // What was refused may have been cured: look again who is at the other end of the cables.
        current = { ...current, ...(await look(parts, findings.uuid)) };
        await events.send(EventType.REGISTERING, 'registering again');
      } else await clock.sleep(delayMs, signal);
    }
  }
}

async function look(parts: LifeParts, uuid: string): Promise<Pick<Findings, 'inventory' | 'neighbors'>> {
  const { sysfs, run, clock, signal, reporter } = parts;
  const inventory = takeInventory(sysfs);
  const ports = (): LldpPort[] => lldpPorts(sysfs);
  const search = { run, clock, signal, ownUuid: uuid, timeoutMs: lookAgainMs, ports };
  const { neighbors, diagnosis } = await findLeaves(search);
  if (diagnosis !== '') reporter.say('lldp', diagnosis);
  return { inventory, neighbors };
}

/** The server understood and said no; asking again changes something only if someone acts. */
function isRefusal(error: unknown): boolean {
  const refusals: readonly Code[] = [
    Code.FailedPrecondition,
    Code.InvalidArgument,
    Code.PermissionDenied,
    Code.Unauthenticated,
    Code.NotFound,
    Code.Unimplemented,
  ];
  return error instanceof ApiError && refusals.includes(error.code);
}

/** One stream at a time, opened again when it breaks. */
async function waitForAllocation(parts: LifeParts, api: Api): Promise<void> {
  const { reporter, clock, entropy, signal } = parts;
  let delays = retrySchedule({ ...reconnectMs, entropy });
  for (;;) {
    let why = 'the server ended the stream';
    try {
      for await (const allocated of api.wait(signal)) {
        delays = retrySchedule({ ...reconnectMs, entropy });
        if (allocated) reporter.say('waiting', 'allocated; this agent cannot install, and holds');
      }
    } catch (error) {
      why = reasonOf(error);
    }
    signal.throwIfAborted();
    const delayMs = delays.next().value ?? reconnectMs.maxMs;
    reporter.say('waiting', `lost the API: ${why}; again in ${Math.ceil(delayMs / 1000)} s`);
    await clock.sleep(delayMs, signal);
  }
}

/** Sends events in order. One that cannot be delivered is said and dropped: the machine's work goes on without. */
class Events {
  readonly #parts: LifeParts;
  readonly #api: Api;

  constructor(parts: LifeParts, api: Api) {
    this.#parts = parts;
    this.#api = api;
  }

  async send(event: EventType, message: string): Promise<void> {
    const { clock, entropy, reporter, signal } = this.#parts;
    const phase: Phase = reporter.phase;
    const delays = retrySchedule({ ...eventRetryMs, entropy });
    for (;;) {
      try {
        await this.#api.sendEvent(event, message.slice(0, maxReasonLength), signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const next = isRefusal(error) || event === EventType.ALIVE ? undefined : delays.next();
        const delayMs = next === undefined || next.done === true ? undefined : next.value;
        reporter.say(
          phase,
          `event not delivered: ${reasonOf(error)}; ${delayMs === undefined ? 'left out' : `again in ${Math.ceil(delayMs / 1000)} s`}`,
        );
        if (delayMs === undefined) return;
        await clock.sleep(delayMs, signal);
      }
    }
  }
}

/** An exit status as a shell reports it: above 128 it was a signal that ended the process. */
function describeExit(code: number): string {
  const signal = Object.entries(osConstants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? `ended with code ${code}` : `killed by ${signal}`;
}
