import type { Clock } from '@ingot/net';
import { SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
import { every } from './loop.ts';
import { namePorts, type NamingSchema, type PortNames } from './naming.ts';
import { type Port, readPorts, samePorts } from './ports.ts';
import type { Problems } from './problems.ts';
import type { SonicDb } from './sonic-db.ts';

export interface PortWatchOptions {
  readonly configDb: SonicDb;
  readonly namingSchema: NamingSchema;
  readonly periodMs: number;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly signal: AbortSignal;
  /** Told about the first reading, and about each that differs from the one before. */
  readonly onPorts: (names: PortNames) => void;
  /** How long each reading took. */
  readonly onRead?: (durationMs: number) => void;
}

/** Follows `PORT|*` of CONFIG_DB until the signal. */
export async function watchPorts(options: PortWatchOptions): Promise<void> {
  const { configDb, clock, problems, signal } = options;
  let accepted: readonly Port[] | undefined;
  let previous: readonly Port[] | undefined;
  await every(clock, options.periodMs, signal, async () => {
    const startedMs = clock.monotonic();
    const oddRows: string[] = [];
    let ports: readonly Port[];
    try {
      ports = await readPorts(configDb, (row) => oddRows.push(row));
      problems.clear('config-db');
    } catch (error) {
      if (!signal.aborted) problems.report('config-db', error);
      return;
    }
    options.onRead?.(clock.monotonic() - startedMs);
    const settled = isSettled(ports, accepted, previous);
    previous = ports;
    if (ports.length === 0) {
      problems.report('ports', noPorts());
      return;
    }
    problems.clear('ports');
    if (!settled || (accepted !== undefined && samePorts(accepted, ports))) return;
    accepted = ports;
    const names = namePorts(options.namingSchema, ports);
    const refused = [
      ...oddRows.sort().map((row) => `${JSON.stringify(row)} is no name of a network interface`),
      ...names.refused.map(({ port, reason }) => `${port}: ${reason}`),
    ];
    if (refused.length === 0) problems.clear('port-names');
    else problems.report('port-names', `not registered: ${refused.join('; ')}`);
    if (names.ports.length > 0) options.onPorts(names);
  });
}

/**
 * `config reload` empties CONFIG_DB and fills it row by row. A set that lost ports therefore has to be read twice
 * before it counts, or a reload would un-register half of the switch.
 */
function isSettled(
  ports: readonly Port[],
  accepted: readonly Port[] | undefined,
  previous: readonly Port[] | undefined,
): boolean {
  const present = new Set(ports.map((port) => port.name));
  const lostNone = (accepted ?? []).every((port) => present.has(port.name));
  return lostNone || (previous !== undefined && samePorts(previous, ports));
}

function noPorts(): SwitchAgentError {
  return new SwitchAgentError(
    SwitchAgentErrorCode.NoPorts,
    'CONFIG_DB has no PORT rows; has config_db.json been loaded (config reload, config load)? The last known ports stay registered',
  );
}
