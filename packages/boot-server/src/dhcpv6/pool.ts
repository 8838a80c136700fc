import { ipv6ToBigInt, parseIpv6 } from '@ingot/wire';

/** First and last address. */
export interface Pool6 {
  readonly first: bigint;
  readonly last: bigint;
}

/** Reads `2001:db8:1::1000-2001:db8:1::1fff`; undefined when malformed or when the last comes before the first. */
export function parsePool6(text: string): Pool6 | undefined {
  const [firstText, lastText, ...rest] = text.split('-').map((part) => part.trim());
  if (firstText === undefined || lastText === undefined || rest.length > 0) return undefined;
  const first = parseIpv6(firstText);
  const last = parseIpv6(lastText);
  if (!first.ok || !last.ok) return undefined;
  const pool = { first: ipv6ToBigInt(first.value), last: ipv6ToBigInt(last.value) };
  return pool.last < pool.first ? undefined : pool;
}
