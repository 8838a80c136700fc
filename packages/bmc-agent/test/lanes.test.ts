import { expect, test } from 'vitest';
import { createLanes } from '../src/lanes.ts';

interface Task {
  readonly key: string;
  readonly name: string;
}

/** Lanes whose tasks end when the test says so. */
function rig(atOnce: number) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const lanes = createLanes<Task>({
    atOnce,
    keyOf: ({ key }) => key,
    run: ({ name }) =>
      new Promise((resolve) => {
        begun.push(name);
        ends.set(name, resolve);
      }),
  });
  const push = (...names: readonly string[]): void => {
    for (const name of names) lanes.push({ key: name.slice(0, 1), name });
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lanes, begun, push, end };
}

test('tasks of one key go one after the other in their order, and so many keys at once as may', async () => {
  const { lanes, begun, push, end } = rig(2);
  push('a1', 'a2', 'b1', 'c1');
  expect([begun, lanes.waiting]).toEqual([['a1', 'b1'], 2]);
  await end('b1');
  expect(begun).toEqual(['a1', 'b1', 'c1']);
  await end('a1');
  expect([begun, lanes.waiting]).toEqual([['a1', 'b1', 'c1', 'a2'], 0]);
});

test('there is room when fewer wait', async () => {
  const { lanes, push, end } = rig(1);
  let hasRoom = false;
  push('a1', 'a2', 'a3');
  const room = lanes.room(1).finally(() => {
    hasRoom = true;
  });
  await end('a1');
  expect(hasRoom).toBe(false);
  await end('a2');
  expect(hasRoom).toBe(true);
  await room;
  await lanes.room(1);
});

test('at the end what has not begun is handed back, also what comes then, and the rest is waited for', async () => {
  const { lanes, begun, push, end } = rig(1);
  push('a1', 'a2');
  const back: string[] = [];
  let isOver = false;
  const drained = lanes
    .drain(({ name }) => back.push(name))
    .finally(() => {
      isOver = true;
    });
  push('b1');
  expect([begun, back, lanes.waiting]).toEqual([['a1'], ['a2', 'b1'], 0]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  await end('a1');
  await drained;
  expect(begun).toEqual(['a1']);
});
