// Field types that several sections of the configuration share.
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseListenAddress } from '@ingot/daemon';
import { numberOfIpv4, parseNetwork } from '../ipv4.ts';
import { INTERFACE_NAME } from '../listen/listen-place.ts';

export const ipv4 = (): z.ZodString =>
  z.string().refine((text) => numberOfIpv4(text) !== undefined, { error: 'write an IPv4 address, as 10.0.0.1' });
export const ownAddresses = (): z.ZodArray<z.ZodString> =>
  z.array(
    ipv4().refine((text) => text !== '0.0.0.0', {
      error:
        'name the addresses to listen on: an answer by broadcast leaves by the interface of the address that it comes from',
    }),
  );
/** Addresses of either family, and names of interfaces. */
export const ownPlaces = (): z.ZodArray<z.ZodString> =>
  z.array(
    z.string().refine(isOwnPlace, {
      error:
        'write an own address other than 0.0.0.0 and ::, a link-local one with its interface, as fe80::1%eth1; or an interface, as eth1',
    }),
  );

function isOwnPlace(text: string): boolean {
  // All zeros, however they are written.
  if (isIPv6(text)) return !/^[0:.]+$/.test(text) && /^fe[89ab][0-9a-f]:/i.test(text) === text.includes('%');
  return isIPv4(text) ? text !== '0.0.0.0' : INTERFACE_NAME.test(text);
}

/** `address:port`, or `interface:port`. */
export const httpListen = (): z.ZodString =>
  z.string().refine((text) => parseListenAddress(text) !== undefined || parseInterfaceListen(text) !== undefined, {
    error:
      'write address:port with a literal IP address, as 10.0.0.1:8080 or [fe80::1%eth1]:8080, or interface:port, as eth1:8080',
  });

/** `eth1:8080`; undefined when it is something else. */
export function parseInterfaceListen(text: string): { readonly name: string; readonly port: number } | undefined {
  const { name, port } = /^(?<name>.+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (name === undefined || !INTERFACE_NAME.test(name) || Number(port) > 65_535) return undefined;
  return { name, port: Number(port) };
}

export const network = (): z.ZodString =>
  z.string().refine((text) => parseNetwork(text) !== undefined, {
    error: 'write a network with its host bits 0, as 10.0.1.0/24',
  });
// 127 bytes of the `file` field less the NIC's 18.
export const fileName = (): z.ZodString =>
  z
    .string()
    .regex(/^[\w.+-]{1,64}$/, { error: 'write the name of a file in ipxe.directory, letters, digits and .+-_ only' });
export const absolutePath = (): z.ZodString => z.string().startsWith('/', { error: 'write an absolute path' });
