import { apiV2 } from '@ingot/api';
import { createHealth, createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import type { BmcApi, BmcCommand } from '../src/api.ts';
import { createBmcMetrics } from '../src/metrics.ts';
import { startBmcWorker } from '../src/worker.ts';

const { MACHINE_BMC_COMMAND_IDENTIFY_LED_ON: LED_ON, MACHINE_BMC_COMMAND_RESET: RESET } = apiV2.MachineBMCCommand;

const command = (id: string, machine: string, what: apiV2.MachineBMCCommand = LED_ON): BmcCommand => ({
  id,
  machine,
  command: what,
  bmc: undefined,
});

/** A worker whose API gives `batches`, a connection each, and whose BMCs answer when the test says so. */
function rig(batches: readonly (readonly BmcCommand[])[], doneFailures = 0) {
  const clock = new MockClock();
  const begun: string[] = [];
  const told: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<void>>();
  let connection = 0;
  let failures = doneFailures;
  const api: Pick<BmcApi, 'commands' | 'done'> = {
    async *commands(signal) {
      const batch = batches[connection];
      connection += 1;
      if (batch !== undefined) {
        yield* batch;
        return;
      }
      await clock.sleep(1e9, signal);
    },
    done(id, error) {
      if (failures > 0) {
        failures -= 1;
        return Promise.reject(new Error('the API is away'));
      }
      told.push(`${id} ${error ?? 'done'}`);
      return Promise.resolve(true);
    },
  };
  const worker = startBmcWorker({
    api,
    controllerOf({ id }, signal) {
      begun.push(id);
      const answer = Promise.withResolvers<void>();
      answers.set(id, answer);
      signal.addEventListener('abort', () => answer.reject(signal.reason));
      const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
      const close = (): Promise<void> => Promise.resolve();
      return Promise.resolve({ isOn: unused, power: unused, bootNext: unused, identify: () => answer.promise, close });
    },
    atOnce: 2,
    commandMs: 60_000,
    clock,
    entropy: mockEntropy(1),
    log: new MemoryLogger(),
    metrics: (waiting) => createBmcMetrics(createMetrics(), waiting),
    health: createHealth({ clock }),
    status: () => {},
  });
  const settle = (): Promise<void> => clock.advance(0);
  const answer = async (id: string): Promise<void> => {
    answers.get(id)?.resolve();
    await settle();
  };
  return { clock, begun, told, worker, settle, answer };
}

describe('the worker', () => {
  test('takes the commands of a machine in their order, and so many machines at once as it may', async () => {
    const { begun, told, worker, settle, answer } = rig([
      [command('1', 'a'), command('2', 'a'), command('3', 'b'), command('4', 'c')],
    ]);
    await settle();
    expect(begun).toEqual(['1', '3']);
    await answer('3');
    expect(begun).toEqual(['1', '3', '4']);
    await answer('1');
    expect(begun).toEqual(['1', '3', '4', '2']);
    await answer('4');
    await answer('2');
    expect(told).toEqual(['3 done', '1 done', '4 done', '2 done']);
    await worker.stop();
  });

  test('does nothing twice that the API gives again before it has the result', async () => {
    const { clock, begun, told, worker, settle, answer } = rig([[command('1', 'a')], [command('1', 'a')]]);
    await settle();
    await clock.advance(20_000);
    await answer('1');
    expect(begun).toEqual(['1']);
    expect(told).toEqual(['1 done']);
    await worker.stop();
  });

  test('tells a result until the API has taken it', async () => {
    const { clock, told, worker, settle, answer } = rig([[command('1', 'a')]], 5);
    await settle();
    await answer('1');
    expect(told).toEqual([]);
    await clock.advance(120_000);
    expect(told).toEqual(['1 done']);
    await worker.stop();
  });

  test('gives a command up at its deadline, and says so', async () => {
    const { clock, told, worker, settle } = rig([[command('1', 'a')]]);
    await settle();
    await clock.advance(60_000);
    expect(told).toEqual([expect.stringMatching(/^1 BMC_TIMEOUT: not done within 60 s/)]);
    await worker.stop();
  });

  test('leaves to the API what has waited for longer than it is wanted, and says what it would not give again', async () => {
    const waiting = [command('2', 'a'), command('3', 'a'), command('4', 'a', RESET)];
    const { clock, begun, told, worker, settle } = rig([[command('1', 'a'), ...waiting]]);
    await settle();
    await clock.advance(60_000);
    await clock.advance(60_000);
    expect(begun).toEqual(['1', '2']);
    expect(told.slice(2)).toEqual(['4 BMC_NOT_BEGUN: not begun, since others took 100 s: order it again']);
    await worker.stop();
  });

  test('that stops tells that a reset was not begun, and leaves the rest to the next one', async () => {
    const waiting = [command('2', 'a'), command('3', 'a', RESET)];
    const { told, worker, settle, answer, begun } = rig([[command('1', 'a'), ...waiting]]);
    await settle();
    const stopped = worker.stop();
    await answer('1');
    await stopped;
    expect(begun).toEqual(['1']);
    expect(told.toSorted()).toEqual([
      '1 done',
      '3 BMC_NOT_BEGUN: not begun, since the worker was stopped: order it again',
    ]);
  });

  test('takes no more commands from an API that takes no results, and goes on when it does', async () => {
    const commands = Array.from({ length: 3_000 }, (_, index) => command(`${index}`, `machine-${index}`));
    const { begun, told, worker, answer, settle, clock } = rig([commands], 10_000);
    const answerAll = async (): Promise<void> => {
      for (let next = 0; next < begun.length; next += 1) await answer(begun[next] ?? '');
    };
    await settle();
    await answerAll();
    // Those that wait for their turn were taken by then.
    expect(begun.length).toBeGreaterThanOrEqual(1_024);
    expect(begun.length).toBeLessThan(1_024 + 256 + 8);
    await clock.advance(15_000);
    await answerAll();
    expect(begun.length).toBeLessThan(1_024 + 256 + 8);
    while (told.length < 3_000) {
      await clock.advance(15_000);
      await answerAll();
    }
    expect(new Set(told).size).toBe(3_000);
    await worker.stop();
  });
});
