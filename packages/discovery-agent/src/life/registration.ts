import { ApiError } from '@ingot/api';
import { retrySchedule } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { EventType, isRefusal } from './api.ts';
import { lookAgain } from './discover.ts';
import type { Discovered } from './discover.ts';
import type { Life } from './parts.ts';
import { registerRequest } from './register-request.ts';

const registerRetryMs = { initialMs: 4_000, maxMs: 60_000 };
/** The longest pause, two calls with their deadlines, a look at the cables. */
const roundMs = 240_000;

/**
 * Registers, until it succeeds: whoever recables or configures a switch need not restart the machine. Starts and
 * ends behind the event Registering. `tags` go with those of the inventory.
 */
export async function register(life: Life, findings: Discovered, tags: readonly string[] = []): Promise<Discovered> {
  const { reporter, clock, entropy, signal, session, outbox, board, pulse } = life;
  reporter.enter('register', `as ${findings.uuid}`);
  const delays = retrySchedule({ ...registerRetryMs, entropy });
  let current = findings;
  for (;;) {
    pulse.beat('life', roundMs);
    try {
      const request = registerRequest(current, tags);
      const { size } = await session.call((api) => api.register(request, signal));
      reporter.say('register', `done, size ${size}`);
      board.problem('registration', undefined);
      board.show({ waitsFor: '' });
      return current;
    } catch (error) {
      signal.throwIfAborted();
      const delayMs = delays.next().value ?? registerRetryMs.maxMs;
      const name = error instanceof ApiError ? `${error.codeName}: ` : '';
      reporter.say('register', `${name}${reasonOf(error)}; again in ${Math.ceil(delayMs / 1000)} s`);
      board.problem('registration', reasonOf(error));
      if (!isRefusal(error)) {
        board.show({ waitsFor: 'an answer of the API' });
        await clock.sleep(delayMs, signal);
        continue;
      }
      board.show({ waitsFor: 'what the API asks for' });
      const seen = current.diagnosis === '' ? '' : `; ${current.diagnosis}`;
      outbox.crashed(`register: ${reasonOf(error)}${seen}`, 'registering again');
      await clock.sleep(delayMs, signal);
      current = await lookAgain(life, current);
      outbox.post(EventType.REGISTERING, 'registering again');
    }
  }
}
