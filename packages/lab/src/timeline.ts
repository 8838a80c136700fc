import type { Clock } from '@ingot/net';

/** What a machine goes through from power-on to Waiting, in this order. */
export const phases = [
  'power',
  'dhcp',
  'tftp',
  'ipxe',
  'kernel',
  'agent',
  'inventory',
  'registered',
  'waiting',
] as const;
export type Phase = (typeof phases)[number];

/** What each phase is reached by, for people. */
export const phaseTitles: Readonly<Record<Phase, string>> = {
  power: 'powered on',
  dhcp: 'DHCP: address and boot file offered',
  tftp: 'TFTP: iPXE fetched',
  ipxe: 'iPXE: script, kernel and initrd fetched over HTTP',
  kernel: 'kernel: init runs',
  agent: 'agent: runs and has its configuration',
  inventory: 'inventory: hardware, LLDP neighbours and BMC known',
  registered: 'registered with the API, connected to its leaf ports',
  waiting: 'waiting for allocation',
};

/** A log line of the boot server, as far as the rack reads it. */
interface BootServerLine {
  readonly event?: unknown;
  readonly mac?: unknown;
  readonly kind?: unknown;
}

/** Times of one machine's boot. */
export interface Timeline {
  /** Milliseconds since power-on at which each phase was reached; a phase that the firmware skips is absent. */
  readonly reachedMs: ReadonlyMap<Phase, number>;
  /** Wall-clock time of the last power-on, milliseconds since the epoch: what the API noted before belongs to an earlier boot. */
  readonly startedAtMs: number;
  restart(): void;
  /** Notes a phase, the first time only. */
  reach(phase: Phase): void;
}

export function createTimeline(
  clock: Pick<Clock, 'now' | 'monotonic'>,
  onReached: (phase: Phase, atMs: number) => void,
): Timeline {
  let started = clock.monotonic();
  let startedAtMs = clock.now();
  const reachedMs = new Map<Phase, number>();
  return {
    reachedMs,
    get startedAtMs() {
      return startedAtMs;
    },
    restart() {
      reachedMs.clear();
      started = clock.monotonic();
      startedAtMs = clock.now();
    },
    reach(phase) {
      if (reachedMs.has(phase)) return;
      const atMs = clock.monotonic() - started;
      reachedMs.set(phase, atMs);
      onReached(phase, atMs);
    },
  };
}

/** Phase by event of the boot server's log. */
const phaseByEvent: Readonly<Record<string, Phase>> = {
  'dhcp.offer': 'dhcp',
  'dhcp.ack': 'dhcp',
  'tftp.done': 'tftp',
};

/** Which machine (by MAC) reached which phase, from a line of the boot server's JSON log. */
export function phaseOfBootServerLine(line: string): { readonly mac: string; readonly phase: Phase } | undefined {
  if (!line.startsWith('{')) return undefined;
  let entry: BootServerLine;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry.mac !== 'string' || typeof entry.event !== 'string') return undefined;
  const phase = entry.event === 'http.file' && entry.kind === 'initrd' ? 'ipxe' : phaseByEvent[entry.event];
  return phase === undefined ? undefined : { mac: entry.mac.toLowerCase(), phase };
}

/** What the agent's init and the agent say on the console: `INGOT <uptime> <phase> <words>`. */
const consoleLine = /^INGOT (?<uptime>[0-9.]+) (?<phase>[a-z]+) ?(?<words>.*)$/;

const phaseByConsoleWord: Readonly<Record<string, Phase>> = { init: 'kernel', config: 'agent', bmc: 'inventory' };

export interface ConsoleReport {
  readonly phase: Phase | undefined;
  /** Reason of a crash. */
  readonly crashed: string | undefined;
}

export function readConsoleLine(line: string): ConsoleReport | undefined {
  const groups = consoleLine.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const word = groups['phase'] ?? '';
  return { phase: phaseByConsoleWord[word], crashed: word === 'crashed' ? groups['words'] : undefined };
}
