import { ApiError, Code } from '@ingot/api';
import type { Clock, Entropy } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import type { AgentConfig } from './agent-config.ts';
import type { Api } from './api.ts';
import type { Reporter } from './reporter.ts';
import { tokenLife } from './token-life.ts';

export interface SessionParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Asks the boot server for the next config, once. */
  readonly fetchNext: (config: AgentConfig) => Promise<AgentConfig>;
  readonly connect: (config: AgentConfig) => Api;
}

/** At least so long between two requests for a new config, milliseconds; its refusal is not mended by haste. */
const renewalPauseMs = 60_000;
/** A token is renewed when three quarters of its life are over, or up to a tenth earlier: a rack does not ask in step. */
const renewalShare = 0.75;
const renewalJitter = 0.1;
/** Longer than any call may take. */
const retireAfterMs = 35_000;
/** The wall clock may be set meanwhile, so that a long sleep would end at the wrong time. */
const lookAtTokenMs = 600_000;

/**
 * The agent's connection to the API, and the config that it was made with. A token that ends or is not taken, and an
 * authority that has changed, are mended by asking the boot server for the config again.
 */
export class Session {
  readonly #parts: SessionParts;
  #config: AgentConfig;
  #api: Api;
  #replaced = new AbortController();
  #renewing: Promise<boolean> | undefined;
  /** Closes the connection before this one, if that is still open. */
  #retire: (() => void) | undefined;
  #lastRenewalMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SessionParts, config: AgentConfig) {
    this.#parts = parts;
    this.#config = config;
    this.#conceal(config);
    this.#api = parts.connect(config);
  }

  get config(): AgentConfig {
    return this.#config;
  }

  get api(): Api {
    return this.#api;
  }

  /** Aborted when another connection takes the place of this one: a stream has to be opened again. */
  get replaced(): AbortSignal {
    return this.#replaced.signal;
  }

  /** Calls the API; a second time, if the first failed for what a new config mends. Rejects with the call's error. */
  async call<T>(ask: (api: Api) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#api);
    } catch (error) {
      if (!(await this.mend(error))) throw error;
      return await ask(this.#api);
    }
  }

  /** True when there is a new connection, since a new config could mend this error and was to be had. */
  async mend(error: unknown): Promise<boolean> {
    if (this.#parts.signal.aborted || !isMendable(error)) return false;
    return this.#renew(reasonOf(error));
  }

  /** Asks for the config again now; false when it is not to be had. */
  async refresh(why: string): Promise<boolean> {
    return this.#renew(why);
  }

  /** Renews the token before its end, for as long as the session lasts. */
  async keepFresh(): Promise<void> {
    const { clock, entropy, signal } = this.#parts;
    const early = (entropy.int(1_000) / 1_000) * renewalJitter;
    while (!signal.aborted) {
      const life = tokenLife(this.#config.token);
      const dueMs = life === undefined ? Infinity : life.fromMs + (life.untilMs - life.fromMs) * (renewalShare - early);
      const remainingMs = dueMs - clock.now();
      if (remainingMs <= 0) await this.#renew('the token has lived for three quarters of its time');
      await clock.sleep(Math.min(lookAtTokenMs, Math.max(renewalPauseMs, remainingMs)), signal);
    }
  }

  close(): void {
    this.#retire?.();
    this.#api.close();
  }

  #conceal({ token, renewalUrl, loki }: AgentConfig): void {
    for (const secret of [token, renewalUrl, loki?.password])
      if (secret !== undefined) this.#parts.reporter.conceal(secret);
  }

  /** Calls that run may come to their end. */
  #retireLater(api: Api): void {
    this.#retire?.();
    const timer = this.#parts.clock.setTimeout(() => this.#retire?.(), retireAfterMs);
    this.#retire = () => {
      timer.cancel();
      api.close();
      this.#retire = undefined;
    };
  }

  #renew(why: string): Promise<boolean> {
    const { clock } = this.#parts;
    if (this.#renewing !== undefined) return this.#renewing;
    if (clock.monotonic() - this.#lastRenewalMs < renewalPauseMs) return Promise.resolve(false);
    this.#lastRenewalMs = clock.monotonic();
    this.#renewing = this.#exchange(why).finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  async #exchange(why: string): Promise<boolean> {
    const { reporter, signal, fetchNext, connect } = this.#parts;
    reporter.say('config', `asking for the config again: ${why}`);
    try {
      const config = await fetchNext(this.#config);
      this.#conceal(config);
      const next = connect(config);
      this.#retireLater(this.#api);
      this.#api = next;
      this.#config = config;
      const before = this.#replaced;
      this.#replaced = new AbortController();
      before.abort(new Error('there is a new connection to the API'));
      reporter.say('config', 'renewed');
      return true;
    } catch (error) {
      signal.throwIfAborted();
      reporter.say('config', `not renewed: ${reasonOf(error)}`);
      return false;
    }
  }
}

/** The token is not taken, or the server's certificate not trusted: grpc-js has words for that, and no code. */
function isMendable(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.code === Code.Unauthenticated) return true;
  return error.code === Code.Unavailable && /certificate|CERT_|issuer|self.signed/i.test(error.message);
}
