import { z } from 'zod';
import type { SerialConsoleConfig } from '../decide/serial-console.ts';

/** Who may decide what machines boot, in the order in which they are asked unless `boot.sources` has another. */
export const SOURCE_NAMES = ['profiles', 'http', 'api'] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];

/** Another boot server: one URL of it, or one for each family. */
export type PeerConfig = string | { readonly url: string; readonly url6: string };

export interface BootConfig {
  /** Undefined: every configured source, in the order of `SOURCE_NAMES`. */
  readonly sources?: readonly SourceName[] | undefined;
  readonly peers: readonly PeerConfig[];
  readonly seenWithinMinutes: number;
  readonly nonceMinutes: number;
  readonly console?: SerialConsoleConfig | undefined;
}

const peerUrl = (): z.ZodURL =>
  z.url({ protocol: /^http$/, error: 'write the http.url of another boot server, as http://10.0.0.2:8080' });

const serialPort = (): z.ZodString =>
  z.string().regex(/^tty[A-Za-z]{1,4}\d{1,2}$/, { error: 'write the name of a serial port, as ttyS0' });

export const bootSchema: z.ZodType<BootConfig> = z
  .strictObject({
    sources: z
      .array(z.enum(SOURCE_NAMES))
      .min(1)
      .optional()
      .describe('who decides what machines boot, asked in this order; default: all that are configured'),
    peers: z
      .array(
        z.union([
          peerUrl(),
          z.strictObject({
            url: peerUrl().describe('for machines that boot over IPv4, and for this server'),
            url6: peerUrl().describe('the same server for machines that boot over IPv6, as http://[2001:db8::2]:8080'),
          }),
        ]),
      )
      .max(4)
      .default([])
      .describe('other boot servers with the same sources, from which machines load when this one is gone'),
    seenWithinMinutes: z
      .int()
      .min(1)
      .max(1_440)
      .default(30)
      .describe('how long after its DHCP request a machine may fetch its script'),
    nonceMinutes: z
      .int()
      .min(1)
      .max(1_440)
      .default(30)
      .describe('how long after its script a machine may fetch its configuration'),
    console: z
      .strictObject({
        port: serialPort().optional().describe('port of manufacturers that are not listed; default: ttyS1'),
        speed: z
          .string()
          .regex(/^\d{4,7}(?:[noe][78])?$/, { error: 'write rate, parity and bits, as 115200n8' })
          .optional()
          .describe('default: 115200n8'),
        byManufacturer: z
          .record(
            z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 .,()_+-]{0,63}$/, {
              error: 'write the manufacturer as SMBIOS (type 1) has it: letters, digits, blanks and .,()_+- only',
            }),
            serialPort(),
          )
          .optional()
          .describe('ports by manufacturer, besides those that are known: see dmidecode -s system-manufacturer'),
      })
      .optional()
      .describe('the serial console that boot loaders add to the command line of a kernel, where that names none'),
  })
  .prefault({})
  .describe('what one boot may take, and who decides it');
