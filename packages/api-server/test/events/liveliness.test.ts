import { apiV2 } from '@ingot/api';
import { expect, test } from 'vitest';
import { liveliness } from '../../src/events/liveliness.ts';

const { ALIVE, DEAD, UNKNOWN } = apiV2.MachineLiveliness;
const now = Date.UTC(2026, 5, 1);
const FIVE_MINUTES_MS = 300_000;

test.each([
  ['unknown before its first event', undefined, false, UNKNOWN],
  ['alive five minutes after its last event', now - FIVE_MINUTES_MS, false, ALIVE],
  ['dead later', now - FIVE_MINUTES_MS - 1, false, DEAD],
  ['unknown later when somebody has it', now - FIVE_MINUTES_MS - 1, true, UNKNOWN],
  ['alive when somebody has it and it speaks', now, true, ALIVE],
])('a machine is %s', (_name, lastEventAt, allocated, expected) => {
  expect(liveliness(lastEventAt, allocated, now)).toBe(expected);
});
