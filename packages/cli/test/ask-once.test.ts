import { ApiError, type CallOptions, Code } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { askOnce } from '../src/ask-once.ts';
import type { CliIo } from '../src/io.ts';

const pausesMs: number[] = [];
const io: CliIo = {
  stdout: () => {},
  stderr: () => {},
  env: {},
  home: '/nonexistent',
  labConfigFile: '/nonexistent',
  now: () => 0,
  clock: {
    ...systemClock,
    sleep: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
  },
};

/** Answers with these codes, one after the other, and in the end well; keeps what it was asked with. */
function server(...codes: readonly Code[]): { asked: CallOptions[]; ask: (options: CallOptions) => Promise<string> } {
  const left = [...codes];
  const asked: CallOptions[] = [];
  return {
    asked,
    ask: (options) => {
      asked.push(options);
      const code = left.shift();
      return code === undefined ? Promise.resolve('made') : Promise.reject(new ApiError(code, 'no'));
    },
  };
}

test('a lost answer is asked for again with the same key, and each thing has a key of its own', async () => {
  const { asked, ask } = server(Code.Unavailable, Code.DeadlineExceeded);
  expect(await askOnce(io, 5000, ask)).toBe('made');
  expect(pausesMs).toEqual([2000, 2000]);
  const keys = new Set(asked.map(({ idempotencyKey }) => idempotencyKey));
  expect([asked.length, keys.size]).toEqual([3, 1]);
  expect([...keys][0]).toMatch(/^[0-9a-f]{32}$/);
  await askOnce(io, 5000, ask);
  expect(keys).not.toContain(asked.at(-1)?.idempotencyKey);
});

test('a refusal is no lost answer, and the third lost one is the last', async () => {
  const refused = server(Code.FailedPrecondition);
  await expect(askOnce(io, 5000, refused.ask)).rejects.toMatchObject({ code: Code.FailedPrecondition });
  expect(refused.asked).toHaveLength(1);
  const away = server(Code.Unavailable, Code.Unavailable, Code.Unavailable, Code.Unavailable);
  await expect(askOnce(io, 5000, away.ask)).rejects.toMatchObject({ code: Code.Unavailable });
  expect(away.asked).toHaveLength(3);
});
