import { parseIpAddress, parseIpv4 } from '@ingot/wire';
import { z } from 'zod';
import { interfaceAddressOf } from '../interface-address.ts';

// Everything is parsed from the text that it is written as (`01`, `off`), see `parseYamlDocument`.

type Text = z.ZodType<string, string>;

/** A text that has to pass; `error` says what to write, also where nothing is written. */
function textThat(error: string, accepts: (value: string) => boolean): Text {
  return z.string({ error }).refine(accepts, { error });
}

/** What can stand in a key of Redis: no bar, no white space. */
export function word(): Text {
  return textThat('write a text without spaces and without "|"', (value) => /^[^\s|]+$/.test(value));
}

/** Any text of one line. */
export function line(longest: number): Text {
  return textThat(
    `write a text of one line, ${longest} characters at most`,
    (value) => value.length <= longest && /^[^\p{Cc}]*$/u.test(value),
  );
}

export function matching(pattern: RegExp, error: string): Text {
  return textThat(error, (value) => pattern.test(value));
}

/** A whole number; the words say its range. */
export function whole(least: number, most: number, unit = ''): z.ZodType<number, string> {
  return textThat(
    `write a whole number from ${least} to ${most}${unit}`,
    (value) => /^(?:0|[1-9]\d{0,9})$/.test(value) && Number(value) >= least && Number(value) <= most,
  ).transform(Number);
}

const TRUE = new Set(['true', 'yes', 'on', 'y']);
const FALSE = new Set(['false', 'no', 'off', 'n']);

/** true or false, and what YAML 1.1 takes for them. */
export function flag(): z.ZodType<boolean, string> {
  return textThat(
    'write true or false',
    (value) => TRUE.has(value.toLowerCase()) || FALSE.has(value.toLowerCase()),
  ).transform((value) => TRUE.has(value.toLowerCase()));
}

/** `on` or `off`, also where Ansible has made true or false of them. */
export function onOff(): z.ZodType<'on' | 'off', string> {
  return textThat(
    'write on or off',
    (value) => TRUE.has(value.toLowerCase()) || FALSE.has(value.toLowerCase()),
  ).transform((value) => (TRUE.has(value.toLowerCase()) ? 'on' : 'off'));
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number], string> {
  return textThat(`write ${values.join(' or ')}`, (value) => values.includes(value)).pipe(z.enum(values));
}

/** An address without a mask. */
export function ip(): Text {
  return textThat('write an IP address, as 10.0.0.1 or fd00::1', (value) => parseIpAddress(value).ok);
}

export function ipv4(): Text {
  return textThat('write an IPv4 address, as 10.0.0.1', (value) => parseIpv4(value).ok);
}

/** An interface's address with its mask; one without is taken too, see `interfacePrefix`. */
export function interfaceIp(): Text {
  return textThat(
    'write an address with its mask, as 10.0.1.1/24 or fd00::1/64',
    (value) => interfaceAddressOf(value) !== undefined,
  );
}

export function mac(): Text {
  return matching(/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/, 'write a MAC address, as 52:54:00:00:00:01');
}

// RFC 1123, section 2.1; the dot at the end says that it is whole.
const HOST_NAME = /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.(?!$)|\.?$))+$/;

/** A host name or an address. */
export function host(): Text {
  return textThat(
    'write a host name or an IP address',
    (value) => parseIpAddress(value).ok || (HOST_NAME.test(value) && !/^[\d.]+$/.test(value)),
  );
}
