import { timestampMs, type Timestamp } from '@ingot/api';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A length of time in its two largest units: `3d 4h`, `5m 2s`, `12s`; `0s` below a second and for negative ones. */
export function durationText(ms: number): string {
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  if (first === -1) return '0s';
  let rest = ms;
  const parts: string[] = [];
  for (const [unit, unitMs] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join(' ');
}

/** How long ago something was; empty when it never was. */
export function ageText(time: Timestamp | undefined, nowMs: number): string {
  return time === undefined ? '' : durationText(nowMs - timestampMs(time));
}
