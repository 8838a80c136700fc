import { apiV2, enumText } from '@ingot/api';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;
type Type = apiV2.MachineProvisioningEventType;

/** Events that can be stored; `Alive` is not. */
type Step = Exclude<Type, typeof Type.UNSPECIFIED | typeof Type.ALIVE>;

/** A stored event; `at` in milliseconds since the epoch. */
export interface MachineEvent {
  readonly at: number;
  readonly type: Type;
  readonly message: string;
}

/** What is known about the way of a machine. There is no stored state: it follows from the newest stored event. */
export interface EventContainer {
  /** Newest stored event. */
  readonly newest: MachineEvent | undefined;
  /** Time of the last accepted event, stored or not. */
  readonly lastEventAt: number | undefined;
  /** Last crash or unexpected event. */
  readonly lastError: MachineEvent | undefined;
  /** The machine came up again without having said why it went down. */
  readonly crashLoop: boolean;
  /** The machine was reclaimed and its old system still runs. */
  readonly failedReclaim: boolean;
}

export const emptyContainer: EventContainer = {
  newest: undefined,
  lastEventAt: undefined,
  lastError: undefined,
  crashLoop: false,
  failedReclaim: false,
};

export interface Transition {
  readonly container: EventContainer;
  /** The event to store, if it is one that is kept. */
  readonly append: MachineEvent | undefined;
}

/**
 * Phone-home messages are collected and sent late; younger than this they may be older than the machine's last event.
 * It is also the silence after which a machine counts as dead.
 */
export const SILENCE_MS: number = 5 * 60 * 1000;

/** How an event that is allowed in a state is taken. */
type Effect =
  | 'append'
  | 'time-only'
  | 'append-clears-reclaim'
  | 'append-clears-crash-loop'
  | 'crash'
  | 'late-phone-home';

type State = Step | 'initial';

/** Legal transitions: event, then state it may come in, then its effect. What is not here is unexpected. */
const transitions: ReadonlyMap<Type, ReadonlyMap<State, Effect>> = new Map<Type, ReadonlyMap<State, Effect>>([
  [
    Type.PXE_BOOTING,
    from('append-clears-reclaim', [Type.PLANNED_REBOOT, Type.MACHINE_RECLAIM, Type.CRASHED, 'initial'], {
      // Firmware asks for an address several times.
      timeOnly: [Type.PXE_BOOTING],
    }),
  ],
  [
    Type.PREPARING,
    from('append-clears-reclaim', [
      Type.PXE_BOOTING,
      Type.PLANNED_REBOOT,
      Type.MACHINE_RECLAIM,
      Type.CRASHED,
      'initial',
    ]),
  ],
  [Type.REGISTERING, from('append', [Type.PREPARING, 'initial'])],
  [Type.WAITING, from('append', [Type.REGISTERING, 'initial'])],
  [Type.INSTALLING, from('append', [Type.REGISTERING, Type.WAITING, 'initial'])],
  [Type.BOOTING_NEW_KERNEL, from('append', [Type.INSTALLING, 'initial'])],
  [
    Type.PHONED_HOME,
    from('append-clears-crash-loop', [Type.BOOTING_NEW_KERNEL, Type.PLANNED_REBOOT, 'initial'], {
      timeOnly: [Type.PHONED_HOME],
      late: [Type.MACHINE_RECLAIM, Type.PXE_BOOTING, Type.PREPARING, Type.REGISTERING, Type.WAITING],
    }),
  ],
  [Type.PLANNED_REBOOT, from('append-clears-crash-loop', everyState())],
  [Type.MACHINE_RECLAIM, from('append-clears-crash-loop', everyState())],
  [Type.ALIVE, from('time-only', [...beforeInstalled(), 'initial'])],
  [Type.CRASHED, from('crash', [...beforeInstalled(), 'initial'])],
]);

/** Takes an event at the server's time `now` (milliseconds since the epoch). */
export function applyEvent(container: EventContainer, type: Type, message: string, now: number): Transition {
  const state = stateOf(container);
  const event: MachineEvent = { at: now, type, message };
  const accepted: EventContainer = { ...container, lastEventAt: now };
  const effect = transitions.get(type)?.get(state);
  if (effect === undefined) return unexpected(accepted, state, event);
  if (effect === 'late-phone-home') return latePhoneHome(container, state, event);
  if (effect === 'time-only') return { container: accepted, append: undefined };
  return { container: { ...accepted, newest: event, ...marks[effect](event) }, append: event };
}

/** What storing an event changes besides. */
const marks: Readonly<
  Record<Exclude<Effect, 'time-only' | 'late-phone-home'>, (event: MachineEvent) => Partial<EventContainer>>
> = {
  append: () => ({}),
  'append-clears-reclaim': () => ({ failedReclaim: false }),
  'append-clears-crash-loop': () => ({ crashLoop: false }),
  crash: (event) => ({ lastError: event, crashLoop: true }),
};

/**
 * The switch agent saw the installed system after the machine had moved on. Within five minutes that is an old message.
 * Later the old system really runs: the reclaim has failed, or the machine was booted past the control plane.
 */
function latePhoneHome(container: EventContainer, state: State, event: MachineEvent): Transition {
  const silence = event.at - (container.lastEventAt ?? event.at);
  const accepted: EventContainer = { ...container, lastEventAt: event.at };
  if (state === Type.MACHINE_RECLAIM) {
    return { container: silence > SILENCE_MS ? { ...accepted, failedReclaim: true } : container, append: undefined };
  }
  if (silence < SILENCE_MS) return { container, append: undefined };
  if (state === Type.PXE_BOOTING) return { container: { ...accepted, failedReclaim: false }, append: undefined };
  return { container: { ...accepted, newest: event }, append: event };
}

function unexpected(accepted: EventContainer, state: State, event: MachineEvent): Transition {
  const marked: MachineEvent = {
    ...event,
    message: `[unexpectedly received in ${stateName(state)}]${event.message === '' ? '' : `: ${event.message}`}`,
  };
  // A machine that boots while it should be doing something else has rebooted without a word.
  const rebooted = event.type === Type.PXE_BOOTING || event.type === Type.PREPARING;
  const stored = event.type !== Type.ALIVE;
  return {
    container: {
      ...accepted,
      lastError: marked,
      crashLoop: accepted.crashLoop || rebooted,
      ...(stored ? { newest: marked } : {}),
    },
    append: stored ? marked : undefined,
  };
}

function stateOf({ newest }: EventContainer): State {
  if (newest === undefined || newest.type === Type.UNSPECIFIED || newest.type === Type.ALIVE) return 'initial';
  return newest.type;
}

// Upstream's words: the state after Crashed is called crashing.
function stateName(state: State): string {
  if (state === 'initial') return 'state initial';
  if (state === Type.CRASHED) return 'state crashing';
  return `state ${enumText(apiV2.MachineProvisioningEventTypeSchema, state).toLowerCase()}`;
}

function from(
  effect: Effect,
  states: readonly State[],
  others: { readonly timeOnly?: readonly State[]; readonly late?: readonly State[] } = {},
): ReadonlyMap<State, Effect> {
  const found = new Map<State, Effect>();
  for (const state of states) found.set(state, effect);
  for (const state of others.timeOnly ?? []) found.set(state, 'time-only');
  for (const state of others.late ?? []) found.set(state, 'late-phone-home');
  return found;
}

function beforeInstalled(): Step[] {
  return [Type.PXE_BOOTING, Type.PREPARING, Type.REGISTERING, Type.WAITING, Type.INSTALLING, Type.BOOTING_NEW_KERNEL];
}

function everyState(): State[] {
  return [...beforeInstalled(), Type.PHONED_HOME, Type.PLANNED_REBOOT, Type.MACHINE_RECLAIM, Type.CRASHED, 'initial'];
}
