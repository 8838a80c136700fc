import { textAt } from './resource.ts';

/** A value in JSON, or none. */
export type Cell = Parameters<typeof textAt>[0];

/** One field of each thing in a list. */
export function eachOf(list: Cell, field: string): string {
  return Array.isArray(list) ? list.map((one) => textAt(one, field)).join(',') : '';
}

/** `IMAGE_FEATURE_MACHINE` as `machine`. */
export function enumTexts(value: Cell, prefix: string): string {
  const words = (one: Cell): string => (typeof one === 'string' ? one.replace(prefix, '').toLowerCase() : '');
  return Array.isArray(value) ? value.map(words).join(',') : words(value);
}
