import { ApiError, apiV2, Code, create, timestampFromMs } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { followMachine } from '../../src/machine/follow.ts';
import { PHASES, standingOf } from '../../src/machine/phases.ts';

const { MachineProvisioningEventType: Type } = apiV2;
const GIVEN_MS = 1_000_000;

/** A machine with these events, a second apart; negative places are before it was given to somebody. */
function machine(
  ...events: readonly (readonly [seconds: number, type: apiV2.MachineProvisioningEventType, message?: string])[]
): apiV2.Machine {
  return create(apiV2.MachineSchema, {
    uuid: 'u',
    allocation: { project: 'p', name: 'n', meta: { createdAt: timestampFromMs(GIVEN_MS) } },
    recentProvisioningEvents: {
      events: events.map(([seconds, event, message = '']) => ({
        time: timestampFromMs(GIVEN_MS + seconds * 1000),
        event,
        message,
      })),
    },
  });
}

test.each([
  ['nothing yet', machine(), { passed: 0, news: '' }],
  ['what was before does not count', machine([-1, Type.PHONED_HOME]), { passed: 0, news: '' }],
  ['it installs', machine([1, Type.INSTALLING, 'x']), { passed: 1, news: 'Installing: x' }],
  ['newest first', machine([2, Type.BOOTING_NEW_KERNEL], [1, Type.INSTALLING]), { passed: 2 }],
  ['one event was lost', machine([1, Type.PHONED_HOME]), { passed: PHASES.length, news: 'Phoned Home' }],
  ['it crashed', machine([1, Type.INSTALLING], [2, Type.CRASHED, 'y']), { passed: 0, failure: 'it crashed: y' }],
  ['it crashed wordlessly', machine([2, Type.CRASHED]), { failure: 'it crashed: it did not say why' }],
  ['it begins anew', machine([1, Type.CRASHED, 'y'], [2, Type.PXE_BOOTING]), { passed: 0, failure: undefined }],
  [
    'it came through the second time',
    machine([1, Type.CRASHED], [2, Type.PXE_BOOTING], [3, Type.INSTALLING]),
    { passed: 1, failure: undefined },
  ],
  ['it was taken away', create(apiV2.MachineSchema), { failure: 'nobody has this machine any more' }],
])('%s', (_name, given, standing) => {
  expect(standingOf(given)).toMatchObject(standing);
});

test('a server that does not answer is asked again, and a refusal ends it', async () => {
  const answers: (apiV2.Machine | ApiError)[] = [
    machine([1, Type.INSTALLING]),
    new ApiError(Code.Unavailable, 'gone'),
    new ApiError(Code.DeadlineExceeded, 'slow'),
    machine([1, Type.INSTALLING], [2, Type.PHONED_HOME]),
  ];
  const away: string[] = [];
  const passed: number[] = [];
  const options = {
    look: async () => {
      const next = answers.shift() ?? new ApiError(Code.PermissionDenied, 'no more');
      if (next instanceof ApiError) throw next;
      return next;
    },
    onStanding: (standing: { passed: number }) => void passed.push(standing.passed),
    onAway: (error: ApiError) => void away.push(error.message),
    clock: { ...systemClock, monotonic: () => 0, sleep: () => Promise.resolve() },
    timeoutMs: 1000,
    signal: new AbortController().signal,
  };
  await followMachine(options);
  expect({ away, passed }).toEqual({ away: ['gone', 'slow'], passed: [1, 3] });
  await expect(followMachine(options)).rejects.toMatchObject({ code: Code.PermissionDenied });
});
