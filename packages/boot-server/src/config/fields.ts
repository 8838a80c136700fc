// Field types that several sections of the configuration share.
import { z } from 'zod';
import { numberOfIpv4, parseNetwork } from '../ipv4.ts';

export const ipv4 = (): z.ZodString =>
  z.string().refine((text) => numberOfIpv4(text) !== undefined, { error: 'write an IPv4 address, as 10.0.0.1' });
export const ownAddresses = (): z.ZodArray<z.ZodString> =>
  z.array(
    ipv4().refine((text) => text !== '0.0.0.0', {
      error:
        'name the addresses to listen on: an answer by broadcast leaves by the interface of the address that it comes from',
    }),
  );
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
