import { retrySchedule } from '@ingot/net';
import type { Clock, Entropy } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { parseConfig } from './agent-config.ts';
import type { AgentConfig } from './agent-config.ts';
import type { HttpAnswer } from './http-get.ts';
import type { Reporter } from './reporter.ts';
import type { State } from './state.ts';

export interface ConfigSource {
  readonly url: URL;
  readonly get: (url: URL, timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly state: Pick<State, 'config' | 'keepConfig' | 'sshHostKey'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Told the server's time of every answer, milliseconds since the epoch. */
  readonly onServerTime: (dateMs: number) => Promise<void>;
}

const requestTimeoutMs = 5_000;
const reportTimeoutMs = 2_000;
const firstDelayMs = 500;
const maxDelayMs = 15_000;
/** A refusal is for good as long as nobody restarts the boot server or the machine: ask seldom. */
const refusedDelayMs = 60_000;

/**
 * The config of this boot. The boot server gives it once; so a run after a crash takes what the first one kept.
 *
 * Never gives up. Every failure is said on the console, a refusal with what to do about it.
 */
export async function obtainConfig(source: ConfigSource): Promise<AgentConfig> {
  const { clock, entropy, reporter, signal, state } = source;
  const kept = state.config();
  if (kept !== undefined) {
    const parsed = parseConfig(kept);
    if (parsed.ok) return parsed.value;
  }
  const delays = retrySchedule({ initialMs: firstDelayMs, maxMs: maxDelayMs, entropy });
  for (;;) {
    let delayMs: number;
    try {
      const config = await fetchOnce(source);
      await reportUp(source, config);
      return config;
    } catch (error) {
      signal.throwIfAborted();
      const refused = error instanceof AgentError && error.code === AgentErrorCode.ConfigRefused;
      delayMs = refused ? refusedDelayMs : (delays.next().value ?? maxDelayMs);
      reporter.say('config', `${reasonOf(error)}; asking again in ${Math.ceil(delayMs / 1000)} s`);
    }
    await clock.sleep(delayMs, signal);
  }
}

/** The config that follows `config`, asked for once: a new token, the authority of today, the policies of today. */
export async function fetchNext(source: ConfigSource, config: AgentConfig): Promise<AgentConfig> {
  const url = config.renewalUrl === undefined ? source.url : new URL(config.renewalUrl.reveal());
  return fetchOnce({ ...source, url });
}

async function fetchOnce({ url, get, state, signal, onServerTime }: ConfigSource): Promise<AgentConfig> {
  let answer: HttpAnswer;
  try {
    answer = await get(url, requestTimeoutMs, signal);
  } catch (cause) {
    throw new AgentError(AgentErrorCode.ConfigUnavailable, `${url.host} gives no config: ${reasonOf(cause)}`, {
      cause,
    });
  }
  if (answer.dateMs !== undefined) await onServerTime(answer.dateMs);
  if (answer.status === 403)
    throw new AgentError(
      AgentErrorCode.ConfigRefused,
      `${url.host} refuses the config, which it gives to each boot once: ${messageOf(answer.body)}. Restart the machine`,
    );
  if (answer.status !== 200)
    throw new AgentError(
      AgentErrorCode.ConfigUnavailable,
      `${url.host} gives no config now: status ${answer.status} ${messageOf(answer.body)}`,
    );
  const parsed = parseConfig(answer.body);
  if (!parsed.ok)
    throw new AgentError(AgentErrorCode.ConfigInvalid, `${url.host} gave an unusable config: ${parsed.reason}`);
  state.keepConfig(answer.body);
  return parsed.value;
}

/**
 * Tells the boot server that this agent runs, for its operator to see, and what SSH shall know the machine by. One try:
 * nothing depends on it.
 */
async function reportUp({ get, signal, reporter, state }: ConfigSource, config: AgentConfig): Promise<void> {
  if (config.reportUrl === undefined) return;
  const reportUrl = new URL(config.reportUrl);
  const hostKey = state.sshHostKey();
  if (hostKey !== undefined) reportUrl.searchParams.set('host_key', hostKey);
  try {
    const { status } = await get(reportUrl, reportTimeoutMs, signal);
    if (status !== 200)
      reporter.say('config', `${reportUrl.host} does not note that the agent is up: status ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    reporter.say('config', `${reportUrl.host} was not told that the agent is up: ${reasonOf(error)}`);
  }
}

/** `message` of a JSON error body, otherwise the beginning of it. */
function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message);
  } catch {
    // Plain text is as good.
  }
  return body.slice(0, 200).trim();
}
