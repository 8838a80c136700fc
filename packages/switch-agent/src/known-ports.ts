import type { Clock } from '@ingot/net';
import type { LinkState } from './link-state.ts';
import type { NamingSchema, PortNames } from './naming.ts';
import { waitForPortInit } from './port-init.ts';
import { watchPorts } from './port-watch.ts';
import type { Problems } from './problems.ts';
import type { SonicDb } from './sonic-db.ts';

export interface KnownPortsOptions {
  readonly configDb: SonicDb;
  readonly appDb: SonicDb;
  readonly namingSchema: NamingSchema;
  readonly linkState: (port: string) => Promise<LinkState>;
  /** Between two readings of CONFIG_DB, milliseconds. */
  readonly periodMs: number;
  /** Ports came, went or changed their names. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly log: { info(bindings: object, message: string): void };
  readonly signal: AbortSignal;
}

/** The ports of the switch by the names that SONiC and the API have for them. */
export interface KnownPorts {
  /** Undefined before SONiC has made them. */
  readonly names: PortNames | undefined;
  /** How long the last reading took, milliseconds. */
  readonly tookMs: number;
  /** By nic name; undefined before the ports are known. */
  links(): Promise<ReadonlyMap<string, LinkState> | undefined>;
  /** Ends with the signal. */
  readonly ended: Promise<void>;
}

export function followPorts(options: KnownPortsOptions): KnownPorts {
  const { clock, problems, log, signal } = options;
  let names: PortNames | undefined;
  let tookMs = 0;

  const run = async (): Promise<void> => {
    const initialised = await waitForPortInit({ appDb: options.appDb, clock, problems, log, signal });
    if (!initialised) return;
    await watchPorts({
      configDb: options.configDb,
      namingSchema: options.namingSchema,
      periodMs: options.periodMs,
      clock,
      problems,
      signal,
      onRead: (durationMs) => {
        tookMs = durationMs;
      },
      onPorts: (found) => {
        log.info({ ports: found.ports.length }, names === undefined ? 'read the ports' : 'the ports have changed');
        names = found;
        options.onChange();
      },
    });
  };

  return {
    get names() {
      return names;
    },
    get tookMs() {
      return tookMs;
    },
    links: async () => {
      if (names === undefined) return undefined;
      const states = await Promise.all(
        names.ports.map(async ({ port, nicName }) => [nicName, await options.linkState(port)] as const),
      );
      return new Map(states);
    },
    ended: run(),
  };
}
