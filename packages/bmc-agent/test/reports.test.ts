import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { BmcError, BmcErrorCode } from '../src/errors.ts';
import { runReports } from '../src/reports.ts';

test('why a BMC is not reported is said once, again when the reason changes, and when it is reported again', async () => {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const stop = new AbortController();
  const told = { address: '10.9.0.1:623', mac: '52:54:00:00:02:01' };
  const login = { address: told.address, user: 'root', password: 'secret', interface: 'lanplus' };
  const silent = new BmcError(BmcErrorCode.Unreachable, 'no answer');
  const locked = new BmcError(BmcErrorCode.Login, 'not with this password');
  const rounds: (Error | undefined)[] = [silent, silent, locked, undefined, undefined, silent];
  const answered: number[] = [];
  let round = -1;
  const running = runReports({
    read: () => Promise.resolve([{ uuid: 'aaaaaaaa-0000-4000-8000-00000000000a', name: 'one', login, told }]),
    inspect() {
      round += 1;
      const error = rounds[round];
      return error === undefined ? Promise.resolve({ isOn: true, missing: [] }) : Promise.reject(error);
    },
    send: () => Promise.resolve(),
    atOnce: 1,
    periodMs: 300_000,
    clock,
    log,
    onRound: (count) => answered.push(count),
    signal: stop.signal,
  });
  while (answered.length < rounds.length) await clock.advance(100_000);
  stop.abort();
  await running;
  expect(answered).toEqual([0, 0, 0, 1, 1, 0]);
  expect(log.records.map(({ level, msg, fields }) => [level, msg, fields['reason']])).toEqual([
    ['warn', 'a BMC is not reported', 'no answer'],
    ['warn', 'a BMC is not reported', 'not with this password'],
    ['info', 'a BMC is reported again', undefined],
    ['warn', 'a BMC is not reported', 'no answer'],
  ]);
});
