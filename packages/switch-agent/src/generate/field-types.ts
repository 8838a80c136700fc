import { parseIpv4, parseIpv6 } from '@ingot/wire';
import { z } from 'zod';

// Everything is parsed from the text that it is written as (`01`, `off`), see `parseYamlDocument`.

type Text = z.ZodType<string, string>;

/** What can stand in a key of Redis: no bar, no white space. */
export function word(): Text {
  return z.string().regex(/^[^\s|]+$/, { error: 'write a text without spaces and without "|"' });
}

/** Any text of one line. */
export function line(longest: number): Text {
  return z
    .string()
    .max(longest)
    .regex(/^[^\p{Cc}]*$/u, { error: 'write a text of one line' });
}

/** A whole number; the words say its range. */
export function whole(least: number, most: number, unit = ''): z.ZodType<number, string> {
  const error = `write a whole number from ${least} to ${most}${unit}`;
  return z
    .string()
    .refine((text) => /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) >= least && Number(text) <= most, { error })
    .transform(Number);
}

const TRUE = new Set(['true', 'yes', 'on', 'y']);
const FALSE = new Set(['false', 'no', 'off', 'n']);

/** true or false, and what YAML 1.1 takes for them. */
export function flag(): z.ZodType<boolean, string> {
  return z
    .string()
    .refine((text) => TRUE.has(text.toLowerCase()) || FALSE.has(text.toLowerCase()), { error: 'write true or false' })
    .transform((text) => TRUE.has(text.toLowerCase()));
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number], string> {
  return z
    .string()
    .refine((text) => values.includes(text), { error: `write ${values.join(' or ')}` })
    .pipe(z.enum(values));
}

/** An address without a mask. */
export function ip(): Text {
  return z.string().refine((text) => parseIpv4(text).ok || parseIpv6(text).ok, {
    error: 'write an IP address, as 10.0.0.1 or fd00::1',
  });
}

export function ipv4(): Text {
  return z.string().refine((text) => parseIpv4(text).ok, { error: 'write an IPv4 address, as 10.0.0.1' });
}

/** An interface's address with its mask; one without is taken too, see `interfaceAddress`. */
export function interfaceIp(): Text {
  return z.string().refine((text) => parsePrefix(text) !== undefined, {
    error: 'write an address with its mask, as 10.0.1.1/24 or fd00::1/64',
  });
}

export function mac(): Text {
  return z
    .string()
    .regex(/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/, { error: 'write a MAC address, as 52:54:00:00:00:01' });
}

/** A host name or an address. */
export function host(): Text {
  return z
    .string()
    .refine(
      (text) =>
        parseIpv6(text).ok ||
        (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/.test(text) && !/^\d+\.[\d.]*$/.test(text)) ||
        parseIpv4(text).ok,
      { error: 'write a host name or an IP address' },
    );
}

/** An address and the length of its mask; undefined when it has none. */
export interface Prefix {
  readonly address: string;
  readonly version: 4 | 6;
  readonly length: number | undefined;
}

export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match?.[1] ?? '';
  const version = parseIpv4(address).ok ? 4 : 6;
  if (match === null || (version === 6 && !parseIpv6(address).ok)) return undefined;
  const length = match[2] === undefined ? undefined : Number(match[2]);
  return length !== undefined && length > (version === 4 ? 32 : 128) ? undefined : { address, version, length };
}
