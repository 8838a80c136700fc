import { isIP, isIPv6 } from 'node:net';
import type { TextFormat } from './rule.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAC = /^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** RFC 1123 labels, at most 253 characters, and a last label that is not a number (it would read as an address). */
function isHostname(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

function isPrefix(text: string): boolean {
  const [address, bits, ...rest] = text.split('/');
  if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function isHostAndPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) return false;
  if (match[1] !== undefined) return isIPv6(match[1]);
  const host = match[2] ?? '';
  return isIP(host) === 4 || isHostname(host);
}

/** Length of a text as protovalidate counts it: Unicode code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at += 1) {
    if ((text.codePointAt(at) ?? 0) > 0xffff) {
      count -= 1;
      at += 1;
    }
  }
  return count;
}

function isLogin(text: string): boolean {
  const length = codePoints(text);
  return length >= 2 && length <= 128;
}

interface Check {
  readonly test: (text: string) => boolean;
  /** Follows "must be" in the error. */
  readonly expected: string;
}

/** One check per format. */
export const textFormats: Readonly<Record<TextFormat, Check>> = {
  uuid: { test: (text) => UUID.test(text), expected: 'a UUID' },
  mac: { test: (text) => MAC.test(text), expected: 'a MAC address such as 52:54:00:12:34:56' },
  uri: { test: (text) => SCHEME.test(text) && URL.canParse(text), expected: 'an absolute URI' },
  hostname: { test: isHostname, expected: 'a hostname' },
  ip: { test: (text) => isIP(text) !== 0, expected: 'an IP address' },
  'ip-prefix': { test: isPrefix, expected: 'a prefix such as 10.0.0.0/24' },
  'ip-or-hostname': { test: (text) => isIP(text) !== 0 || isHostname(text), expected: 'an IP address or a hostname' },
  'host-and-port': { test: isHostAndPort, expected: 'a host and a port such as 10.0.0.7:623' },
  base64: { test: (text) => BASE64.test(text), expected: 'base64' },
  'any-or-uuid': { test: (text) => text === '*' || UUID.test(text), expected: 'a UUID or "*"' },
  'any-or-login': { test: (text) => text === '*' || isLogin(text), expected: '"*" or 2 to 128 characters' },
  'rule-comment': { test: (text) => /^[a-z_ -]*$/.test(text), expected: 'made of a-z, space, _ and -' },
};
