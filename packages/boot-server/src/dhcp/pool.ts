import { numberOfIpv4 } from '../ipv4.ts';

/** First and last address, as unsigned 32-bit numbers. */
export interface Pool {
  readonly first: number;
  readonly last: number;
}

/** Reads `10.0.1.100-10.0.1.199`; undefined when malformed or when the last comes before the first. */
export function parsePool(text: string): Pool | undefined {
  const [firstText, lastText, ...rest] = text.split('-').map((part) => part.trim());
  if (firstText === undefined || lastText === undefined || rest.length > 0) return undefined;
  const first = numberOfIpv4(firstText);
  const last = numberOfIpv4(lastText);
  if (first === undefined || last === undefined || last < first) return undefined;
  return { first, last };
}
