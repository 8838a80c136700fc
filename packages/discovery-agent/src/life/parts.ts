import type { Clock, Entropy, Network } from '@ingot/net';
import type { Ipmi } from '../bmc/ipmi.ts';
import type { RunCommand } from '../command.ts';
import type { PostJson } from '../log/loki.ts';
import type { Sysfs } from '../sysfs.ts';
import type { AgentConfig } from './agent-config.ts';
import type { Api } from './api.ts';
import type { HttpAnswer } from './http-get.ts';
import type { Outbox } from './outbox.ts';
import type { Pulse } from './pulse.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';
import type { State } from './state.ts';
import type { Board } from './board.ts';
import type { Wipe } from './wipe-order.ts';

/** What a life is made of: the machine, and the world around it. */
export interface LifeParts {
  readonly sysfs: Sysfs;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly state: State;
  readonly reporter: Reporter;
  /** What the status screen shows. */
  readonly board: Board;
  /** Told that the life goes on; a watchdog listens. */
  readonly pulse: Pulse;
  readonly version: string;
  readonly httpGet: (url: URL, timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly postJson: PostJson;
  readonly network: Network;
  /** Addresses of a host's name. */
  readonly resolveHost: (name: string) => Promise<readonly string[]>;
  readonly openIpmi: (path: string) => Ipmi;
  readonly connect: (config: AgentConfig, uuid: string, clock: Clock) => Api;
  /** Erases the disks. */
  readonly wipe: Wipe;
  /** Restarts the machine; resolves when that is on its way. */
  readonly reboot: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** A life that has its config: what the phases work with. */
export interface Life extends LifeParts {
  readonly uuid: string;
  readonly session: Session;
  readonly outbox: Outbox;
}
