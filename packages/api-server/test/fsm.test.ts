import { apiV2, enumText } from '@ingot/api';
import { array, assert, constantFrom, integer, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEvent, emptyContainer, SILENCE_MS, type EventContainer } from '../src/events/fsm.ts';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;
type Type = apiV2.MachineProvisioningEventType;

const text = (type: Type): string => enumText(apiV2.MachineProvisioningEventTypeSchema, type);

const t0 = Date.UTC(2026, 0, 1);
const states = [
  undefined,
  Type.PXE_BOOTING,
  Type.PREPARING,
  Type.REGISTERING,
  Type.WAITING,
  Type.INSTALLING,
  Type.BOOTING_NEW_KERNEL,
  Type.PHONED_HOME,
  Type.PLANNED_REBOOT,
  Type.MACHINE_RECLAIM,
  Type.CRASHED,
];

/** A container whose newest event is of a type and a minute old, with both flags set to see what clears them. */
function inState(state: Type | undefined, changes: Partial<EventContainer> = {}): EventContainer {
  if (state === undefined) return { ...emptyContainer, crashLoop: true, failedReclaim: true, ...changes };
  const at = t0 - 60_000;
  return {
    newest: { at, type: state, message: '' },
    lastEventAt: at,
    lastError: undefined,
    crashLoop: true,
    failedReclaim: true,
    ...changes,
  };
}

/**
 * What each event does in each state, in the order of `states`:
 * a append, r append and clear failed reclaim, c append and clear crash loop, t time only, ! crash, . swallowed,
 * x unexpected, X unexpected and a crash loop, n unexpected but not stored.
 */
const table: readonly (readonly [Type, string])[] = [
  //                     - PXE Prep Reg Wait Inst Boot Home Plan Recl Crash
  [Type.PXE_BOOTING, 'r t X X X X X X r r r'],
  [Type.PREPARING, 'r r X X X X X X r r r'],
  [Type.REGISTERING, 'a x a x x x x x x x x'],
  [Type.WAITING, 'a x x a x x x x x x x'],
  [Type.INSTALLING, 'a x x a a x x x x x x'],
  [Type.BOOTING_NEW_KERNEL, 'a x x x x a x x x x x'],
  [Type.PHONED_HOME, 'c . . . . x c t c . x'],
  [Type.PLANNED_REBOOT, 'c c c c c c c c c c c'],
  [Type.MACHINE_RECLAIM, 'c c c c c c c c c c c'],
  [Type.ALIVE, 't t t t t t t n n n n'],
  [Type.CRASHED, '! ! ! ! ! ! ! x x x x'],
];

describe('an event within five minutes of the last', () => {
  for (const [event, effects] of table) {
    for (const [index, effect] of effects.split(' ').entries()) {
      const state = states[index];
      test(`${text(event)} in ${state === undefined ? 'Initial' : text(state)}: ${effect}`, () => {
        const before = inState(state, effect === 'X' || effect === '!' ? { crashLoop: false } : {});
        const { container, append } = applyEvent(before, event, 'words', t0);
        expect(append !== undefined).toBe(!'t.n'.includes(effect));
        expect(container.newest).toEqual(append ?? before.newest);
        expect(container.lastEventAt).toBe(effect === '.' ? before.lastEventAt : t0);
        expect(container.crashLoop).toBe(effect !== 'c');
        expect(container.failedReclaim).toBe(effect !== 'r');
        if ('xXn'.includes(effect)) {
          expect(container.lastError?.message).toMatch(/^\[unexpectedly received in state [a-z ]+\]: words$/);
        } else if (effect === '!') expect(container.lastError).toEqual(append);
        else expect(container.lastError).toBeUndefined();
      });
    }
  }

  test('unexpected, other than a boot, makes no crash loop', () => {
    const before = inState(Type.WAITING, { crashLoop: false });
    expect(applyEvent(before, Type.WAITING, '', t0).container.crashLoop).toBe(false);
  });

  test('unexpected without words gets only the mark', () => {
    const { append } = applyEvent(inState(Type.CRASHED), Type.WAITING, '', t0);
    expect(append?.message).toBe('[unexpectedly received in state crashing]');
  });
});

describe('a phone home after a long silence', () => {
  const late = (state: Type, silence = SILENCE_MS + 1): ReturnType<typeof applyEvent> =>
    applyEvent(inState(state, { lastEventAt: t0 - silence, failedReclaim: false }), Type.PHONED_HOME, '', t0);

  test('of a reclaimed machine marks the reclaim as failed', () => {
    expect(late(Type.MACHINE_RECLAIM)).toMatchObject({
      append: undefined,
      container: { failedReclaim: true, lastEventAt: t0 },
    });
    expect(late(Type.MACHINE_RECLAIM, SILENCE_MS).container.failedReclaim).toBe(false);
  });

  test('of a machine that boots is only a sign of life', () => {
    const before = inState(Type.PXE_BOOTING, { lastEventAt: t0 - SILENCE_MS });
    expect(applyEvent(before, Type.PHONED_HOME, '', t0)).toMatchObject({
      append: undefined,
      container: { failedReclaim: false, lastEventAt: t0 },
    });
  });

  test.each([Type.PREPARING, Type.REGISTERING, Type.WAITING])('of a machine in state %i is stored', (state) => {
    expect(late(state)).toMatchObject({ append: { type: Type.PHONED_HOME }, container: { lastEventAt: t0 } });
  });
});

describe('any sequence of events', () => {
  test('ends in a state that its newest stored event names, with a reason for every crash loop', () => {
    const events = array(tuple(constantFrom(...table.map(([type]) => type)), integer({ min: 0, max: 2 * SILENCE_MS })));
    assert(
      property(events, (sequence) => {
        let container = emptyContainer;
        let now = t0;
        for (const [type, pauseMs] of sequence) {
          now += pauseMs;
          const before = container;
          const transition = applyEvent(before, type, '', now);
          ({ container } = transition);
          expect(container.newest).toEqual(transition.append ?? before.newest);
          expect(container.newest?.type).not.toBe(Type.ALIVE);
          expect(container.lastEventAt ?? 0).toBeGreaterThanOrEqual(before.lastEventAt ?? 0);
          if (container.crashLoop) expect(container.lastError).toBeDefined();
        }
      }),
    );
  });
});
