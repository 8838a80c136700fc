import type { LogFields, LogLevel } from '@ingot/daemon';
import { isBeyond, USUAL_STAGE_MS, type BootStage } from './stages.ts';

/** Something that went wrong, and nothing has gone right since. */
export interface BootProblem {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event: string;
  /** `reason` or `cause` of the log line. */
  readonly reason: string | undefined;
  readonly words: string;
}

/** Where one NIC's boot is. Changed in place: it is touched by every packet. */
export interface BootState {
  stage: BootStage;
  /** When it came to this stage: since the epoch, and on the monotonic clock. */
  since: number;
  sinceMonotonic: number;
  /** Boots that began while it was watched. */
  boots: number;
  uuid: string | undefined;
  address: string | undefined;
  problem: BootProblem | undefined;
  /** Whether the kernel of its last script will ask for a configuration. */
  wantsConfig: boolean;
}

export function newBootState(now: number, monotonic: number): BootState {
  return {
    stage: 'seen',
    since: now,
    sinceMonotonic: monotonic,
    boots: 0,
    uuid: undefined,
    address: undefined,
    problem: undefined,
    wantsConfig: true,
  };
}

/** Whether it has been in its stage for longer than usual. */
export function isStuck(state: BootState, monotonic: number): boolean {
  const usual = USUAL_STAGE_MS[state.stage];
  return usual !== undefined && monotonic - state.sinceMonotonic > usual;
}

/** One log line about a NIC. */
export interface BootLine {
  readonly at: number;
  readonly monotonic: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
  readonly msg: string;
}

/**
 * Moves `state` on by what a line says. Returns the stage that was left and how long it lasted, when the boot went on;
 * undefined when nothing changed, and when a boot began anew, whose former stage lasted for reasons of its own.
 */
export function advance(
  state: BootState,
  line: BootLine,
): { readonly stage: BootStage; readonly ms: number } | undefined {
  const { uuid, address } = line.fields;
  if (typeof uuid === 'string') state.uuid = uuid;
  if (typeof address === 'string') state.address = address;
  if (line.level === 'warn' || line.level === 'error') {
    const reason = line.fields['reason'] ?? line.fields['cause'];
    state.problem = {
      at: line.at,
      event: line.event,
      reason: typeof reason === 'string' ? reason : undefined,
      words: line.msg,
    };
  }
  const { wantsConfig } = line.fields;
  if (typeof wantsConfig === 'boolean') state.wantsConfig = wantsConfig;
  const next = stageOf(line, state);
  if (next === undefined || next === state.stage) return undefined;
  const left = { stage: state.stage, ms: line.monotonic - state.sinceMonotonic };
  const goesOn = isBeyond(next, state.stage);
  if (left.stage === 'seen' || (!goesOn && (next === 'offered' || next === 'ipxe'))) state.boots += 1;
  state.stage = next;
  state.since = line.at;
  state.sinceMonotonic = line.monotonic;
  if (line.level === 'debug' || line.level === 'info') state.problem = undefined;
  return goesOn && left.stage !== 'seen' ? left : undefined;
}

/** The stage that a line leads to; undefined when it leads nowhere. */
function stageOf({ event, fields }: BootLine, { stage: current, wantsConfig }: BootState): BootStage | undefined {
  switch (event) {
    case 'dhcp.offer':
    case 'dhcp.ack':
    case 'dhcp6.advertise':
    case 'dhcp6.reply':
    case 'pxe.ack':
      return stageOfAnswer(fields['boot'], current);
    case 'tftp.start':
      return isBeyond('ipxe', current) ? 'tftp' : undefined;
    case 'tftp.done':
      return isBeyond('ipxe', current) ? 'ipxe' : undefined;
    case 'http.script':
      return stageOfScript(fields);
    case 'http.file':
      return stageOfFile(fields['kind'], current);
    case 'http.booting':
      return isBeyond('config', current) ? (wantsConfig ? 'config' : 'booted') : undefined;
    case 'config.given':
      return 'agent';
    case 'agent.up':
    // Whoever renews its token runs, also when the server was started after it.
    case 'config.renewed':
      return isBeyond('up', current) ? 'up' : undefined;
    default:
      return undefined;
  }
}

/**
 * An answer that says what to load is the begin of a boot, or iPXE's own question in the midst of one. A kernel's
 * question for an address, which comes with nothing to load, changes nothing.
 */
function stageOfAnswer(boot: unknown, current: BootStage): BootStage | undefined {
  switch (boot) {
    case 'script':
      return current === 'ipxe' ? undefined : 'ipxe';
    case 'chain-tftp':
    case 'chain-http':
      return 'offered';
    default:
      return undefined;
  }
}

function stageOfScript({ plan }: LogFields): BootStage {
  if (plan === 'local') return 'local';
  return plan === 'hold' || plan === 'menu' ? 'held' : 'script';
}

function stageOfFile(kind: unknown, current: BootStage): BootStage | undefined {
  switch (kind) {
    case 'ipxe':
      return isBeyond('ipxe', current) ? 'ipxe' : undefined;
    case 'kernel':
      return isBeyond('kernel', current) ? 'kernel' : undefined;
    case 'initrd':
      return isBeyond('initrd', current) ? 'initrd' : undefined;
    default:
      return undefined;
  }
}
