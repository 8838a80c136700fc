import type { LogFields, Logger, LogLevel } from '@ingot/daemon';
import type { Timeline } from './timeline.ts';

/**
 * A logger whose lines about a machine, those with an `event` and a `mac`, also enter that machine's timeline, whether
 * or not their level is written. Debug lines with both cost as much as the timeline does: under 2 µs.
 */
export function traceLogger(log: Logger, timeline: Timeline): Logger {
  return traced(log, timeline, {});
}

function traced(log: Logger, timeline: Timeline, bindings: LogFields): Logger {
  const { mac: boundMac } = bindings;
  const trace = (level: LogLevel, fields: LogFields, msg: string): void => {
    const { event } = fields;
    const mac = fields['mac'] ?? boundMac;
    if (typeof event === 'string' && typeof mac === 'string') timeline.append(level, mac, event, fields, msg);
  };
  return {
    debug: (fields, msg) => {
      trace('debug', fields, msg);
      log.debug(fields, msg);
    },
    info: (fields, msg) => {
      trace('info', fields, msg);
      log.info(fields, msg);
    },
    warn: (fields, msg) => {
      trace('warn', fields, msg);
      log.warn(fields, msg);
    },
    error: (fields, msg) => {
      trace('error', fields, msg);
      log.error(fields, msg);
    },
    child: (more) => traced(log.child(more), timeline, { ...bindings, ...more }),
  };
}
