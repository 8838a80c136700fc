import type { DescField } from '@bufbuild/protobuf';
import type { FieldRule } from './rule.ts';
import { codePoints, textFormats } from './text-format.ts';

type Report = (reason: string) => void;

/** Checks the key of a map entry. */
export function checkKey(key: string, rule: FieldRule, report: Report): void {
  if (rule.keyTrimmed === true && key !== key.trim()) report('must not have white space at its ends');
  if (rule.keyFormat === undefined) return;
  const { test, expected } = textFormats[rule.keyFormat];
  if (!test(key)) report(`must be keyed by ${expected}`);
}

/** Checks one value: text, number, enum, duration or timestamp. `now` is in milliseconds since the epoch. */
export function checkValue(value: unknown, field: DescField, rule: FieldRule, now: number, report: Report): void {
  if (typeof value === 'string') checkText(value, rule, report);
  else if (field.enum !== undefined && typeof value === 'number') {
    if (rule.defined === true && field.enum.value[value] === undefined) {
      report(`must be a defined ${field.enum.name}, not ${value}`);
    }
  } else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(Number(value), rule, '', report);
  else checkTime(value, rule, now, report);
}

function checkText(text: string, rule: FieldRule, report: Report): void {
  if (text === '' && rule.emptyAllowed === true) return;
  if (rule.length !== undefined) {
    const [least, most] = rule.length;
    const length = codePoints(text);
    if (length < least || length > most) {
      report(
        least === 0
          ? `must have at most ${most} characters, not ${length}`
          : `must have ${least} to ${most} characters, not ${length}`,
      );
    }
  }
  if (rule.format !== undefined && !textFormats[rule.format].test(text)) {
    report(`must be ${textFormats[rule.format].expected}, not ${quote(text)}`);
  }
  if (rule.trimmed === true && text !== text.trim()) report('must not have white space at its ends');
}

function checkNumber(value: number, rule: FieldRule, unit: string, report: Report): void {
  if (rule.min !== undefined && value < rule.min) report(`must be at least ${rule.min}${unit}, not ${value}${unit}`);
  if (rule.max !== undefined && value > rule.max) report(`must be at most ${rule.max}${unit}, not ${value}${unit}`);
  if (rule.below !== undefined && value >= rule.below) {
    report(`must be less than ${rule.below}${unit}, not ${value}${unit}`);
  }
}

function checkTime(value: unknown, rule: FieldRule, now: number, report: Report): void {
  const seconds = secondsOf(value);
  if (seconds === undefined) return;
  if (rule.past === true && seconds * 1000 > now) report('must be in the past');
  checkNumber(seconds, rule, ' s', report);
}

// Durations and timestamps are both {seconds, nanos}; a reflected message holds the plain one.
function secondsOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const plain =
    'message' in value && typeof value.message === 'object' && value.message !== null ? value.message : value;
  if (!('seconds' in plain) || typeof plain.seconds !== 'bigint') return undefined;
  const nanos = 'nanos' in plain && typeof plain.nanos === 'number' ? plain.nanos : 0;
  return Number(plain.seconds) + nanos / 1e9;
}

// Text from the wire goes into an error that goes to a log: short, and without control characters.
function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
