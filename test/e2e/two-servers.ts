import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ingot/lab';
import type { Entropy } from '@ingot/net';
import { setTimeout as pause } from 'node:timers/promises';
import { createFirmwareRack, subnet } from './firmware-rack.ts';
import type { BootEvent, BootServerUnderTest, FirmwareRack, MachineUnderTest } from './firmware-rack.ts';

/** Two management servers with a boot server each, two leaves whose relays ask both, and machines on both leaves. */
export interface TwoServers extends AsyncDisposable {
  readonly machines: Readonly<Record<KilledFirmware, MachineUnderTest>>;
  /** Boots a machine, kills the boot server that serves it at the moment drawn, and lets the other finish the boot. */
  bootWithKill(firmware: KilledFirmware, moment: Moment): Promise<Outcome>;
}

export type KilledFirmware = 'bios' | 'uefi';

/** After which event of the boot a server is killed, and how long after. */
export interface Moment {
  readonly event: string;
  /** For `http.file`, which one. */
  readonly kind?: string;
  readonly delayMs: number;
}

export interface Outcome {
  readonly killed: string;
  /** The last event of the killed server. */
  readonly lastWord: string;
  /** Power-on to the guest's own words. */
  readonly bootMs: number;
  /** Events of the two servers about this boot, for people. */
  readonly story: string;
}

const bios: readonly Omit<Moment, 'delayMs'>[] = [
  { event: 'dhcp.offer' },
  { event: 'dhcp.ack' },
  { event: 'http.script' },
  { event: 'http.file', kind: 'kernel' },
];
const steps: Readonly<Record<KilledFirmware, readonly Omit<Moment, 'delayMs'>[]>> = {
  bios,
  uefi: [...bios, { event: 'tftp.start' }, { event: 'tftp.done' }],
};
/** The longest steps that a boot has before the last file: UEFI between offer and request, iPXE at its prompt. */
const longestStepMs: Readonly<Record<KilledFirmware, number>> = { bios: 1_000, uefi: 4_000 };

/** Any moment of a boot, each step as likely as any other. */
export function drawMoment(entropy: Entropy, firmware: KilledFirmware): Moment {
  const step = steps[firmware][entropy.int(steps[firmware].length)] ?? { event: 'dhcp.offer' };
  return { ...step, delayMs: entropy.int(longestStepMs[firmware]) };
}

export function describeMoment({ event, kind, delayMs }: Moment): string {
  return `${delayMs} ms after ${event}${kind === undefined ? '' : ` of the ${kind}`}`;
}

/** A machine that has to begin anew has everything twice, and the firmware's own waits besides. */
const bootTimeoutMs = 300_000;
const stepTimeoutMs = 120_000;

export async function createTwoServers(name: string): Promise<TwoServers> {
  const rack = await createFirmwareRack(name);
  try {
    return await build(rack);
  } catch (error) {
    await rack[Symbol.asyncDispose]();
    throw error;
  }
}

async function build(rack: FirmwareRack): Promise<TwoServers> {
  const { bench, management } = rack;
  const second = await bench.createNamespace('mgmt2');
  await connect(management, 'mgmt2', second, 'eth0');
  await management.ip('link set mgmt2 master br0');
  await second.ip('addr add 10.0.0.3/24 dev eth0');
  const leaves = [];
  for (const number of [1, 2]) {
    leaves.push(await rack.createLeaf(number, ['10.0.0.1', '10.0.0.3']));
    await second.ip(`route add 10.0.${number}.0/24 via 10.0.0.${10 + number}`);
  }
  const key = join(bench.directory, 'signing.key');
  writeFileSync(key, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const change = (address: string, peer: string, first: string, last: string): Readonly<Record<string, unknown>> => ({
    boot: { peers: [`http://${peer}:8080`] },
    http: { listen: `${address}:8080`, signing: { keyFile: key } },
    dhcp: { listen: [address], subnets: [subnet(1, first, last), subnet(2, first, last)] },
  });
  const servers = [
    await rack.startBootServer({
      name: 'boot-server-1',
      namespace: management,
      address: '10.0.0.1',
      change: change('10.0.0.1', '10.0.0.3', '100', '149'),
    }),
    await rack.startBootServer({
      name: 'boot-server-2',
      namespace: second,
      address: '10.0.0.3',
      change: change('10.0.0.3', '10.0.0.1', '150', '199'),
    }),
  ];
  const machines = {
    bios: await rack.createMachine('bios', 'bios', leaves),
    uefi: await rack.createMachine('uefi', 'uefi', leaves),
  };
  return {
    machines,
    bootWithKill: (firmware, moment) => bootWithKill(servers, machines[firmware], moment),
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  };
}

async function bootWithKill(
  servers: readonly BootServerUnderTest[],
  machine: MachineUnderTest,
  moment: Moment,
): Promise<Outcome> {
  for (const server of servers) await server.start();
  const before = new Map(servers.map((server) => [server, server.events.length]));
  const since = (server: BootServerUnderTest): readonly BootEvent[] =>
    server.events.slice(before.get(server)).filter(({ mac }) => mac !== undefined && machine.macs.includes(mac));
  const startedAt = performance.now();
  // Its failure is awaited below; until then it must not be an unhandled one.
  const booted = machine.boots(bootTimeoutMs);
  booted.catch(() => undefined);
  try {
    await untilReached(servers, since, moment);
    await pause(moment.delayMs);
    const victim = serving(servers, since);
    await victim.kill();
    const lastWord = tell(
      since(victim)
        .filter(({ event }) => event !== 'dhcp.withdrawn')
        .slice(-1),
    );
    await booted;
    const bootMs = performance.now() - startedAt;
    const story = servers.map((server) => `${server.name}: ${tell(since(server))}`).join('; ');
    return { killed: victim.name, lastWord, bootMs, story };
  } finally {
    await machine.machine.off();
  }
}

/** Resolves when a server has come so far with the machine. */
async function untilReached(
  servers: readonly BootServerUnderTest[],
  since: (server: BootServerUnderTest) => readonly BootEvent[],
  { event, kind }: Moment,
): Promise<void> {
  const isIt = (each: BootEvent): boolean => each.event === event && (kind === undefined || each['kind'] === kind);
  const until = performance.now() + stepTimeoutMs;
  while (!servers.some((server) => since(server).some(isIt))) {
    if (performance.now() > until) throw new Error(`no boot server came to ${event} in ${stepTimeoutMs / 1000} s`);
    await pause(20);
  }
}

/** Both offer, and the machine takes one at each stage: the one that did something else for it last. */
function serving(
  servers: readonly BootServerUnderTest[],
  since: (server: BootServerUnderTest) => readonly BootEvent[],
): BootServerUnderTest {
  const lastServed = (server: BootServerUnderTest): string => {
    const served = since(server).findLast(({ event }) => event !== 'dhcp.offer' && event !== 'dhcp.withdrawn');
    return served?.time ?? '';
  };
  const [latest] = servers.toSorted((a, b) => (lastServed(a) < lastServed(b) ? 1 : -1));
  if (latest === undefined) throw new Error('there is no boot server');
  return latest;
}

function tell(events: readonly BootEvent[]): string {
  const words = events.map(({ event, kind }) => (typeof kind === 'string' ? `${event} ${kind}` : event));
  return words.filter((word, index) => word !== words[index - 1]).join(', ');
}
