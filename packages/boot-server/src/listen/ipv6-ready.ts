import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { bytesOfIpv6, parseIpv6 } from '@ingot/wire';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootServerConfig } from '../config.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseHttpListen } from '../http/listen.ts';

/** Linux asks the link for a second, and routers that need a few; who asks longer waits for something else. */
const DAD_MS = 10_000;
const POLL_MS = 200;
/** if_addr.h */
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

export interface Ipv6ReadyComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The text of /proc/net/if_inet6; default: this host's. */
  readonly read?: () => string;
}

/**
 * Waits until no address is tentative any more: while the host still asks whether somebody else has it (RFC 4862 §5.4),
 * as it does in its first second, nothing can be bound to it. At most 10 s; what cannot be bound then says so itself.
 * Rejects with BootServerError LISTEN_FAILED when somebody else has one, and with the reason of `signal`.
 */
export async function ipv6Ready(addresses: readonly string[], components: Ipv6ReadyComponents): Promise<void> {
  const { clock, log, signal, read = readAddresses } = components;
  const wanted = new Set(addresses.flatMap(hexOf));
  if (wanted.size === 0) return;
  const until = clock.monotonic() + DAD_MS;
  for (let isFirst = true; ; isFirst = false) {
    const tentative: string[] = [];
    for (const { hex, flags, name } of parse(read())) {
      if (!wanted.has(hex)) continue;
      const address = addresses.find((each) => hexOf(each)[0] === hex) ?? hex;
      if ((flags & IFA_F_DADFAILED) !== 0)
        throw new BootServerError(
          BootServerErrorCode.ListenFailed,
          `${address} of ${name} belongs to another host on its link, which answered to duplicate address detection: give one of the two another address, then ip -6 addr del and add it here`,
        );
      if ((flags & IFA_F_TENTATIVE) !== 0) tentative.push(address);
    }
    if (tentative.length === 0) return;
    if (clock.monotonic() >= until) {
      log.warn({ event: 'listen.tentative', addresses: tentative }, 'IPv6 addresses are tentative still: trying them');
      return;
    }
    if (isFirst)
      log.info(
        { event: 'listen.tentative', addresses: tentative },
        `waiting for duplicate address detection of ${tentative.join(', ')}`,
      );
    await clock.sleep(POLL_MS, signal);
  }
}

/** All IPv6 addresses that the configuration wants to be bound. */
export function ipv6Listens({ dhcp6, tftp, http }: BootServerConfig): string[] {
  return [
    ...(dhcp6?.listen ?? []),
    ...(tftp.listen ?? []),
    ...parseHttpListen(http.listen).map(({ address }) => address),
    ...(http.tls === undefined ? [] : parseHttpListen(http.tls.listen).map(({ address }) => address)),
  ].filter((address) => isIPv6(address));
}

/** 32 digits, as the kernel writes it; none for what is no address. */
function hexOf(address: string): string[] {
  const parsed = parseIpv6(address.replace(/%.*$/, ''));
  return parsed.ok ? [Buffer.from(bytesOfIpv6(parsed.value)).toString('hex')] : [];
}

/** Lines of address, index, prefix length, scope, flags and name; the numbers in hex. */
function parse(text: string): { readonly hex: string; readonly flags: number; readonly name: string }[] {
  return text.split('\n').flatMap((line) => {
    const [hex, , , , flags, name] = line.trim().split(/\s+/);
    return hex === undefined || flags === undefined || name === undefined
      ? []
      : [{ hex, flags: Number.parseInt(flags, 16), name }];
  });
}

/** None where the host has no IPv6. */
function readAddresses(): string {
  try {
    return readFileSync('/proc/net/if_inet6', 'latin1');
  } catch {
    return '';
  }
}
