import type { Json } from '../output.ts';

/** A value in a template; undefined is a field that is not there. */
export type Value = Json | undefined;

export type FunctionName = 'index' | 'len' | 'json' | 'join' | 'eq' | 'ne' | 'and' | 'or' | 'not' | 'print';

interface TemplateFunction {
  readonly least: number;
  readonly most: number;
  readonly run: (args: readonly Value[]) => Value;
}

const one = (run: (value: Value) => Value): TemplateFunction => ({ least: 1, most: 1, run: ([value]) => run(value) });

/** What templates can do with values: those of Go's that are of use here, and `json` and `join`. */
export const FUNCTIONS: Readonly<Record<FunctionName, TemplateFunction>> = {
  index: { least: 2, most: Infinity, run: ([of, ...keys]) => keys.reduce<Value>(entry, of) },
  len: one((value) => (typeof value === 'string' || Array.isArray(value) ? value.length : keysOf(value).length)),
  json: one((value) => JSON.stringify(value ?? null)),
  join: { least: 2, most: 2, run: ([separator, list]) => listOf(list).map(textOf).join(textOf(separator)) },
  eq: { least: 2, most: Infinity, run: ([value, ...others]) => others.some((other) => same(value, other)) },
  ne: { least: 2, most: 2, run: ([a, b]) => !same(a, b) },
  and: { least: 1, most: Infinity, run: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1) },
  or: { least: 1, most: Infinity, run: (args) => args.find(isTrue) ?? args.at(-1) },
  not: one((value) => !isTrue(value)),
  print: { least: 1, most: Infinity, run: (args) => args.map(textOf).join('') },
};

export function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/** As Go has it: nothing, `false`, 0 and what is empty are false. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  return Array.isArray(value) ? value.length > 0 : typeof value !== 'object' || Object.keys(value).length > 0;
}

/** How a value is printed: text as it is, lists and objects as JSON, nothing as nothing. */
export function textOf(value: Value): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The values of a list, or of an object in the order of its keys. */
export function listOf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null
    ? Object.keys(value)
        .toSorted()
        .map((key) => value[key])
    : [];
}

/** A field by the name that JSON has for it, or by the contract's, with underscores. */
export function fieldOf(value: Value, name: string): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const camel = name.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
  return Object.hasOwn(value, camel) ? value[camel] : undefined;
}

function entry(of: Value, key: Value): Value {
  if (Array.isArray(of)) return typeof key === 'number' ? of[key] : undefined;
  return fieldOf(of, textOf(key));
}

function keysOf(value: Value): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function same(a: Value, b: Value): boolean {
  // 64-bit numbers are text in JSON.
  return textOf(a) === textOf(b);
}
