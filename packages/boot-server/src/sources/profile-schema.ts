import { z } from 'zod';
import { FIRMWARE_NAMES, type FirmwareName } from '../decide/architectures.ts';
import { network } from '../config/fields.ts';
import { parseMac, parseUuid } from '../identity.ts';

/** A kernel or an initrd: a path or URI, and the digest that it must have. */
export type ProfileFile = string | { readonly uri: string; readonly sha256?: string | undefined };

/** Whom a profile is for: every key that is there must fit, and of a list any one. */
export interface ProfileMatch {
  readonly mac?: string | readonly string[] | undefined;
  readonly uuid?: string | readonly string[] | undefined;
  readonly serial?: string | readonly string[] | undefined;
  readonly hostname?: string | readonly string[] | undefined;
  readonly circuitId?: string | readonly string[] | undefined;
  readonly remoteId?: string | readonly string[] | undefined;
  readonly subnet?: string | readonly string[] | undefined;
  readonly arch?: FirmwareName | number | readonly (FirmwareName | number)[] | undefined;
}

/** One profile, as an operator writes it. */
export interface Profile {
  readonly name: string;
  readonly match: ProfileMatch;
  readonly vars: Readonly<Record<string, string>>;
  readonly loader?: string | undefined;
  readonly message: string;
  readonly kernel?: ProfileFile | undefined;
  readonly initrd: ProfileFile | readonly ProfileFile[];
  readonly cmdline: string;
  readonly config: boolean;
  readonly script?: string | undefined;
  readonly boot?: 'local' | 'hold' | 'ignore' | undefined;
  readonly menu?:
    | {
        readonly title: string;
        readonly default?: string | undefined;
        readonly timeoutSeconds: number;
        readonly entries: readonly { readonly profile: string; readonly label?: string | undefined }[];
      }
    | undefined;
}

/** A file of profiles. */
export interface ProfileFileContents {
  readonly vars: Readonly<Record<string, string>>;
  readonly profiles: readonly Profile[];
}

const isMacPattern = (text: string): boolean =>
  parseMac(text) !== undefined || (/[*?]/.test(text) && /^[0-9a-f:*?-]{1,32}$/i.test(text));
const anyOf = <Item extends z.ZodType<string | number>>(item: Item): z.ZodUnion<readonly [Item, z.ZodArray<Item>]> =>
  z.union([item, z.array(item).min(1).max(4_096)]);
const pattern = (): z.ZodString => z.string().min(1).max(255);

const match = z.strictObject({
  mac: anyOf(
    z.string().refine(isMacPattern, {
      error: 'write a hardware address, as 52:54:00:00:01:01, or a pattern of one, as 52:54:00:*',
    }),
  )
    .optional()
    .describe('hardware address, * and ? being wildcards'),
  uuid: anyOf(
    z.string().refine((text) => parseUuid(text) !== undefined, {
      error: 'write a UUID, as 11111111-2222-3333-4444-555555555555',
    }),
  )
    .optional()
    .describe('UUID of the machine'),
  serial: anyOf(pattern()).optional().describe('serial number, * and ? being wildcards'),
  hostname: anyOf(pattern())
    .optional()
    .describe(
      'name: hostName of its reservation, else what it calls itself in DHCP option 12 or 81; * and ? being wildcards',
    ),
  circuitId: anyOf(pattern())
    .optional()
    .describe('port that the relay names in option 82, * and ? being wildcards; 0x and hex digits where it is no text'),
  remoteId: anyOf(pattern()).optional().describe('relay that option 82 names, the same way'),
  subnet: anyOf(network()).optional().describe('network of dhcp.subnets'),
  arch: anyOf(z.union([z.enum(FIRMWARE_NAMES), z.int().min(0).max(65_535)]))
    .optional()
    .describe('kind of firmware, or a number of DHCP option 93'),
});

const file = z.union([
  z.string().min(1).max(2_048),
  z.strictObject({
    uri: z.string().min(1).max(2_048).describe('absolute path, or file:, http: or https: URI'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: 'write 64 hex digits in lower case, as sha256sum prints them' })
      .optional()
      .describe('digest that it must have'),
  }),
]);
const vars = (): z.ZodDefault<z.ZodRecord<z.ZodString, z.ZodString>> =>
  z
    .record(
      z.string().regex(/^[a-z]\w{0,63}$/i, { error: 'write a name of letters, digits and _' }),
      z.string().max(4_096),
    )
    .default({});

export const profileSchema: z.ZodType<Profile> = z.strictObject({
  name: z
    .string()
    .regex(/^[\w-]{1,32}$/, { error: 'write a name of at most 32 letters, digits, - and _' })
    .describe('for logs and menus'),
  match: match.default({}).describe('whom it is for; default: everyone, and only if nothing fits better'),
  vars: vars().describe('texts for ${name} in this profile'),
  loader: z
    .string()
    .regex(/^(?:[\w.+-]{1,64}|https?:\/\/\S{1,240})$/, {
      error: 'write the name of a published file, as shimx64.efi, or a URL for UEFI HTTP boot',
    })
    .optional()
    .describe('what firmware loads in place of the iPXE of its kind'),
  message: z.string().max(1_024).default('').describe('printed on the machine’s console'),
  kernel: file.optional().describe('kernel to boot: path, URI, or uri and sha256'),
  initrd: z
    .union([file, z.array(file).max(16)])
    .default([])
    .describe('initrd, or several'),
  cmdline: z.string().max(2_048).default('').describe('command line of the kernel'),
  config: z.boolean().default(false).describe('whether the machine gets a one-time configuration from the API'),
  script: z
    .string()
    .max(65_536)
    .optional()
    .describe('iPXE script in place of a kernel; write $${net0/mac} for iPXE’s own ${net0/mac}'),
  boot: z
    .enum(['local', 'hold', 'ignore'])
    .optional()
    .describe('local: the machine’s disk; hold: wait and show message; ignore: no boot offer'),
  menu: z
    .strictObject({
      title: z.string().min(1).max(128).default('What to boot?').describe('first line'),
      default: z.string().optional().describe('profile that is taken after the time; default: the first'),
      timeoutSeconds: z.int().min(0).max(86_400).default(30).describe('time to choose; 0: for ever'),
      entries: z
        .array(
          z.strictObject({
            profile: z.string().describe('name of a profile, whoever that is for'),
            label: z.string().min(1).max(128).optional().describe('its line; default: the name'),
          }),
        )
        .min(1)
        .max(64)
        .describe('what there is to choose from'),
    })
    .optional()
    .describe('a menu of other profiles'),
});

/** A file may be a list of profiles, or a mapping with variables for all of them. */
export const profileFileSchema: z.ZodType<ProfileFileContents> = z.strictObject({
  vars: vars().describe('texts for ${name} in every profile of this file'),
  profiles: z.array(profileSchema).max(16_384).describe('the profiles'),
});
