import { adminV2, ApiError, apiV2, Code, createChannel, createClient, infraV2, timestampFromMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { AgentConfig } from './agent-config.ts';
import type { RegisterRequest } from './register-request.ts';

export const EventType: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;
export type EventType = apiV2.MachineProvisioningEventType;

/** What the agent says to the API server and hears from it. Calls reject with an `ApiError`. */
export interface Api {
  sendEvent(event: EventType, message: string, signal: AbortSignal): Promise<void>;
  register(request: RegisterRequest, signal: AbortSignal): Promise<{ readonly size: string }>;
  /** Of the BMC's superuser; empty when there shall be none. */
  superUserPassword(signal: AbortSignal): Promise<string>;
  /** This machine as the API knows it; `undefined` when the answer has none. */
  machine(signal: AbortSignal): Promise<apiV2.Machine | undefined>;
  /** Messages of one Wait stream; true stands for one that carries an allocation. */
  wait(signal: AbortSignal): AsyncIterable<boolean>;
  close(): void;
}

/** How long an answer may take, milliseconds. */
export interface CallTimes {
  readonly callTimeoutMs: number;
  /** The server connects switch ports within the call, and tries that up to ten times. */
  readonly registerTimeoutMs: number;
}

const usualTimes: CallTimes = { callTimeoutMs: 10_000, registerTimeoutMs: 30_000 };

export function connectApi(config: AgentConfig, uuid: string, clock: Clock, times: CallTimes = usualTimes): Api {
  const { callTimeoutMs, registerTimeoutMs } = times;
  const channel = createChannel({ url: config.apiUrl, ca: config.caCert, token: config.token.reveal() });
  const boot = createClient(infraV2.BootService, channel);
  const machines = createClient(adminV2.MachineService, channel);
  const events = createClient(infraV2.EventService, channel);
  return {
    async sendEvent(event, message, signal) {
      const time = timestampFromMs(Math.trunc(clock.now()));
      await events.send({ events: { [uuid]: { time, event, message } } }, { timeoutMs: callTimeoutMs, signal });
    },
    register: (request, signal) => boot.register(request, { timeoutMs: registerTimeoutMs, signal }),
    async superUserPassword(signal) {
      // The flag beside it is no help: upstream's server has it the wrong way round.
      return (await boot.superUserPassword({ uuid }, { timeoutMs: callTimeoutMs, signal })).superUserPassword;
    },
    machine: async (signal) => (await machines.get({ uuid }, { timeoutMs: callTimeoutMs, signal })).machine,
    async *wait(signal) {
      for await (const message of boot.wait({ uuid }, { signal })) yield message.allocation !== undefined;
    },
    close: () => channel.close(),
  };
}

/**
 * The server understood and said no; asking again changes something only if someone acts. `Unauthenticated` is not among
 * them: a new token mends it.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && refusals.has(error.code);
}

const refusals: ReadonlySet<Code> = new Set([
  Code.FailedPrecondition,
  Code.InvalidArgument,
  Code.PermissionDenied,
  Code.NotFound,
  Code.Unimplemented,
]);
