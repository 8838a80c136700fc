import { apiV2 } from '@ingot/api';
import { createHealth, createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import type { BmcApi, BmcCommand } from '../src/api.ts';
import { BmcError, BmcErrorCode } from '../src/errors.ts';
import { createBmcMetrics } from '../src/metrics.ts';
import { startBmcWorker } from '../src/worker.ts';

const { MACHINE_BMC_COMMAND_IDENTIFY_LED_ON: LED_ON } = apiV2.MachineBMCCommand;

const command = (id: string, machine = 'a'): BmcCommand => ({ id, machine, command: LED_ON, bmc: undefined });

/** What the API does in one connection: give a command, wait for so many milliseconds, or fail. */
type Event = BmcCommand | number | Error;

interface Options {
  /** What becomes of a command; default: it is done at once. */
  readonly identify?: (clock: MockClock, signal: AbortSignal) => Promise<void>;
  /** Fails to reach the BMC. */
  readonly unreachable?: Error;
  readonly done?: (clock: MockClock) => Promise<boolean>;
}

/** A worker at an API that does these things, a list for each connection, and then gives nothing any more. */
function rig(connections: readonly (readonly Event[])[], options: Options = {}) {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const metrics = createMetrics();
  const health = createHealth({ clock });
  const [statuses, told, begun, connectedAt]: [string[], string[], string[], number[]] = [[], [], [], []];
  let [closed, given] = [0, 0];
  const api: Pick<BmcApi, 'commands' | 'done'> = {
    async *commands(signal) {
      const events = connections[connectedAt.length];
      connectedAt.push(clock.monotonic());
      for (const event of events ?? [1e9]) {
        if (typeof event === 'number') await clock.sleep(event, signal);
        else if (event instanceof Error) throw event;
        else {
          given += 1;
          yield event;
        }
      }
    },
    async done(id, error) {
      const taken = (await options.done?.(clock)) ?? true;
      told.push(`${id} ${error ?? 'done'}`);
      return taken;
    },
  };
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const worker = startBmcWorker({
    api,
    controllerOf({ id }, signal) {
      begun.push(id);
      if (options.unreachable !== undefined) return Promise.reject(options.unreachable);
      return Promise.resolve({
        isOn: unused,
        power: unused,
        bootNext: unused,
        identify: () => options.identify?.(clock, signal) ?? Promise.resolve(),
        close: () => {
          closed += 1;
          return Promise.resolve();
        },
      });
    },
    atOnce: 2,
    commandMs: 60_000,
    clock,
    entropy: mockEntropy(1),
    log,
    metrics: (waiting) => createBmcMetrics(metrics, waiting),
    health,
    status: (text) => statuses.push(text),
  });
  const counts = () => ({ closed, given });
  return { clock, log, metrics, health, statuses, told, begun, connectedAt, worker, counts };
}

const messages = (log: MemoryLogger): string[] => log.records.map(({ msg }) => msg);

describe('the stream of commands', () => {
  test('is open when it has not failed for two seconds, or has given a command', async () => {
    const { clock, statuses, health, metrics, worker } = rig([]);
    await clock.advance(1_999);
    expect(statuses).toEqual(['no commands: not connected yet']);
    expect(await health.readiness()).toEqual({
      ready: false,
      checks: { stream: { ok: false, reason: 'not connected yet' } },
    });
    expect(await metrics.text()).toMatch(/^ingot_bmc_stream 0$/m);
    await clock.advance(1);
    expect(statuses.at(-1)).toBe('waits for commands');
    expect((await health.readiness()).ready).toBe(true);
    expect(await metrics.text()).toMatch(/^ingot_bmc_stream 1$/m);
    await worker.stop();
    const early = rig([[command('1'), 1e9]]);
    await early.clock.advance(0);
    expect(early.statuses.at(-1)).toBe('waits for commands');
    await early.worker.stop();
  });

  test('that fails says why, once for the same reason, and when it is there again', async () => {
    const [away, refused] = [new Error('connection refused'), new Error('no rights')];
    const { clock, log, statuses, health, worker } = rig([[away], [away], [refused], [3_000, refused]]);
    await clock.advance(60_000);
    expect(messages(log)).toEqual([
      'no commands from the API; tries again',
      'no commands from the API; tries again',
      'the API gives commands again',
      'no commands from the API; tries again',
      'the API gives commands again',
    ]);
    expect(log.records.map(({ fields }) => fields['reason'])).toEqual([
      'connection refused',
      'no rights',
      undefined,
      'no rights',
      undefined,
    ]);
    expect(statuses).toContain('no commands: no rights');
    expect((await health.readiness()).ready).toBe(true);
    await worker.stop();
  });

  test('that ends without an error is one that failed, too', async () => {
    const { clock, statuses, worker } = rig([[]]);
    await clock.advance(0);
    expect(statuses.at(-1)).toBe('no commands: the API has ended the stream of commands');
    await worker.stop();
  });

  test('is tried again soon at first, then every 15 s at most, and soon again after it was open', async () => {
    const away = new Error('away');
    const failing = Array.from({ length: 30 }, () => [away]);
    const { clock, connectedAt, worker } = rig([...failing, [10_000, away], [away]]);
    await clock.advance(600_000);
    const pauses = connectedAt.slice(1).map((at, index) => at - (connectedAt[index] ?? 0));
    expect(pauses[0]).toBeLessThanOrEqual(500);
    expect(pauses[0]).toBeGreaterThan(0);
    expect(Math.max(...pauses.slice(0, 30))).toBeLessThanOrEqual(15_000);
    expect(Math.max(...pauses.slice(0, 30))).toBeGreaterThan(5_000);
    // The 31st was open for 10 s.
    expect(pauses[30]).toBeGreaterThan(10_000);
    expect(pauses[30]).toBeLessThanOrEqual(10_500);
    await worker.stop();
  });

  test('is not read while 256 commands wait', async () => {
    const many = Array.from({ length: 300 }, (_, index) => command(`${index}`));
    const hang = (clock: MockClock, signal: AbortSignal): Promise<void> => clock.sleep(10_000, signal);
    const { clock, counts, metrics, worker } = rig([[...many, 1e9]], { identify: hang });
    await clock.advance(0);
    // One of them is under way.
    expect(counts().given).toBe(257);
    expect(await metrics.text()).toContain('ingot_bmc_commands_waiting 256');
    await clock.advance(10_000);
    expect(counts().given).toBe(258);
    const stopped = worker.stop();
    await clock.advance(10_000);
    await stopped;
  });
});

describe('a command', () => {
  test('leaves no connection to a BMC open, done or not', async () => {
    for (const identify of [undefined, () => Promise.reject(new BmcError(BmcErrorCode.Refused, 'no'))]) {
      const { clock, counts, worker } = rig([[command('1'), 1e9]], identify === undefined ? {} : { identify });
      await clock.advance(0);
      expect(counts().closed).toBe(1);
      await worker.stop();
    }
  });

  test('is counted with its result and how long it took', async () => {
    const { clock, metrics, log, worker } = rig([[command('1'), 1e9]], { identify: (own) => own.sleep(1_500) });
    await clock.advance(2_000);
    const text = await metrics.text();
    expect(text).toMatch(/ingot_bmc_commands_total\{command="[^"]+",result="done"\} 1/);
    expect(text).toMatch(/ingot_bmc_command_seconds_sum\{command="[^"]+"\} 1.5\n/);
    expect(log.records.at(-1)).toMatchObject({ msg: 'a command is carried out', fields: { seconds: 1.5, id: '1' } });
    await worker.stop();
  });

  test.each([
    ['a BMC that refuses', new BmcError(BmcErrorCode.Login, 'wrong password'), '1 BMC_LOGIN: wrong password'],
    ['a mistake of our own', new TypeError('x is undefined'), '1 BMC_REFUSED: x is undefined'],
    ['very many words', new BmcError(BmcErrorCode.Answer, 'x'.repeat(2_000)), `1 BMC_ANSWER: ${'x'.repeat(988)}`],
  ])('that fails by %s is told with its code', async (_what, unreachable, words) => {
    const { clock, told, log, metrics, worker } = rig([[command('1'), 1e9]], { unreachable });
    await clock.advance(0);
    expect(told).toEqual([words]);
    const [, code = ''] = /^1 (\w+):/.exec(words) ?? [];
    expect(await metrics.text()).toContain(`result="${code}"} 1`);
    expect(messages(log)).toEqual(['a command failed']);
    await worker.stop();
  });

  test('is begun again when the API gives it after its result was taken', async () => {
    const { clock, begun, worker } = rig([[command('1'), 1_000, command('1'), 1e9]]);
    await clock.advance(1_000);
    expect(begun).toEqual(['1', '1']);
    await worker.stop();
  });

  test('that waits counts as wanted from when the API gave it last', async () => {
    const slow = (clock: MockClock, signal: AbortSignal): Promise<void> => clock.sleep(55_000, signal);
    const stream = [command('1'), command('2'), command('3'), command('4'), 50_000, command('3'), 1e9];
    const { clock, begun, worker } = rig([stream], { identify: slow });
    await clock.advance(166_000);
    // The fourth was not named again, and is too old after 110 s.
    expect(begun).toEqual(['1', '2', '3']);
    await worker.stop();
  });

  test('that was left for its age is begun when the API gives it again', async () => {
    const slow = (clock: MockClock, signal: AbortSignal): Promise<void> => clock.sleep(59_000, signal);
    const stream = [command('1'), command('2'), command('3'), 120_000, command('3'), 1e9];
    const { clock, begun, log, worker } = rig([stream], { identify: slow });
    await clock.advance(119_000);
    expect([begun, messages(log).at(-1)]).toEqual([
      ['1', '2'],
      'a command waited for too long, and is left to the API',
    ]);
    await clock.advance(1_000);
    expect(begun).toEqual(['1', '2', '3']);
    const stopped = worker.stop();
    await clock.advance(10_000);
    await stopped;
  });

  test('whose result nobody takes is given up after forty tries, and may then be given again', async () => {
    let tries = 0;
    const done = (): Promise<boolean> => {
      tries += 1;
      return Promise.reject(new Error('away'));
    };
    const { clock, begun, log, metrics, worker } = rig([[command('1'), 700_000, command('1'), 1e9]], { done });
    await clock.advance(699_000);
    expect(tries).toBe(40);
    expect(await metrics.text()).toMatch(/^ingot_bmc_acknowledgement_failures_total 39$/m);
    expect(log.records.at(-1)).toMatchObject({
      msg: 'the result of a command could not be told',
      fields: { id: '1', machine: 'a', reason: expect.stringContaining('away') },
    });
    await clock.advance(1_000);
    expect(begun).toEqual(['1', '1']);
    const stopped = worker.stop();
    await clock.advance(10_000);
    await stopped;
  });

  test('of which the API does not want to know the result any more is said, and that is all', async () => {
    const { clock, log, told, worker } = rig([[command('1'), 1e9]], { done: () => Promise.resolve(false) });
    await clock.advance(0);
    expect(told).toEqual(['1 done']);
    expect(messages(log).at(-1)).toBe('the API does not wait for the result of a command any more');
    await worker.stop();
  });
});

describe('a worker that stops', () => {
  test('waits until the API has the results', async () => {
    const { clock, told, worker } = rig([[command('1'), 1e9]], { done: (own) => own.sleep(2_000).then(() => true) });
    await clock.advance(0);
    let isOver = false;
    const stopped = worker.stop().finally(() => {
      isOver = true;
    });
    await clock.advance(1_999);
    expect([told, isOver]).toEqual([[], false]);
    await clock.advance(1);
    await stopped;
    expect(told).toEqual(['1 done']);
  });

  test('gives what is under way seven seconds, and says nothing of what it does not know', async () => {
    const hang = (clock: MockClock, signal: AbortSignal): Promise<void> => clock.sleep(50_000, signal);
    const { clock, told, log, worker } = rig([[command('1'), 1e9]], { identify: hang });
    await clock.advance(0);
    let isOver = false;
    const stopped = worker.stop().finally(() => {
      isOver = true;
    });
    await clock.advance(6_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await stopped;
    expect([told, messages(log)]).toEqual([[], []]);
  });
});
