import type { AdminJson, EntryWire, MachineWire } from '@ingot/boot-server/admin';
import { printable } from '../display-width.ts';
import { durationText } from '../time-text.ts';

const EVENT_WIDTH = 18;
const NO_RELAY = '0.0.0.0';
/** Said elsewhere on the line, or on every line the same. */
const LEFT_OUT: ReadonlySet<string> = new Set(['uuid', 'service', 'source']);

/** What stands above a timeline. */
export function traceHeading(machine: MachineWire, nowMs: number): string {
  const { macs, uuid, stage, since, stuck, usualSeconds, problem } = machine;
  const late = stuck && usualSeconds !== null ? `: stuck, usually < ${durationText(usualSeconds * 1000)}` : '';
  const lines = [
    `machine ${uuid ?? 'without a UUID'}, ${macs.join(', ')}`,
    `stage   ${stage}, for ${durationText(nowMs - Date.parse(since))}${late}`,
    ...(problem === null ? [] : [`problem ${problem.reason ?? problem.event}: ${problem.message}`]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** One entry: time of day, time since the first entry, NIC where there are several, event, words, fields. */
export function traceLine(entry: EntryWire, options: { readonly firstMs: number; readonly showMac: boolean }): string {
  const since = ((Date.parse(entry.time) - options.firstMs) / 1000).toFixed(3);
  const mark = entry.level === 'warn' || entry.level === 'error' ? '!' : ' ';
  const isSaid = (key: string, value: AdminJson): boolean =>
    key === 'err' && typeof value === 'string' && mark === '!' && entry.message.endsWith(value);
  const fields = Object.entries(entry.fields)
    .filter(([key, value]) => !LEFT_OUT.has(key) && value !== NO_RELAY && !isSaid(key, value))
    .map(([key, value]) => `${key}=${fieldText(value)}`);
  const again =
    entry.repeats === 0 ? [] : [`(${entry.repeats} more like it, until ${clockText(Date.parse(entry.repeatedAt))})`];
  const parts = [
    clockText(Date.parse(entry.time)),
    `+${since}`.padStart(10),
    ...(options.showMac ? [entry.mac] : []),
    `${mark} ${entry.event.padEnd(EVENT_WIDTH)}`,
    ...(mark === '!' ? [`${entry.message}:`] : []),
    ...fields,
    ...again,
  ];
  return `${printable(parts.join(' ')).trimEnd()}\n`;
}

function fieldText(value: AdminJson): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

/** Local time of day. */
export function clockText(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}
