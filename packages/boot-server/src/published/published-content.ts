import type { BootIssuer } from '../decide/boot-issuer.ts';
import type { LoaderFetches } from '../decide/loader-fetches.ts';
import type { Binaries } from '../decide/decision.ts';
import { parseOwnFilePath } from '../grub/pxelinux.ts';
import type { FileUrls } from '../http/file-urls.ts';
import { parseMac } from '../identity.ts';
import { renderAutoexecScript } from '../ipxe/script.ts';
import { BOOTING_TEXT, noteBooting } from './booting.ts';
import { loaderConfig, type LoaderConfigComponents } from './loader-config.ts';
import type { PublishedFiles } from './published-files.ts';

/** Who asks for a name. */
export interface PublishedClient {
  /** From the path, or by its address; undefined when neither tells. */
  readonly mac: string | undefined;
  /** Its IP address, as text. */
  readonly source: string;
}

export type Published =
  | { readonly kind: 'file'; readonly uri: string; readonly sha256: string | undefined }
  /** Made for this client, at this moment. */
  | { readonly kind: 'text'; readonly text: string };

/** The only names that TFTP and HTTP's `/boot/` and `/grub/` know: files, and texts that are made for who asks. */
export interface PublishedContent {
  /** `name` is what follows the NIC in the path. Undefined at once for what there is not. Never rejects for a name. */
  open(name: string, client: PublishedClient): Promise<Published | undefined>;
}

export interface PublishedContentComponents extends LoaderConfigComponents {
  readonly files: PublishedFiles;
  readonly binaries: Binaries;
  readonly fileUrls: Pick<FileUrls, 'open'>;
  readonly issuer: BootIssuer;
  readonly fetches: LoaderFetches;
  /** The machine that this NIC said to belong to, for the log. */
  readonly uuidOf: (mac: string) => string | undefined;
}

/**
 * pixiecore names its binaries by their number in the table of firmware: X86PC, EFI32, EFI64, EFIBC, X86 iPXE. The last
 * is for an iPXE ROM that lacks something, which may have no UNDI to build on.
 */
const PIXIECORE_BINARIES: Readonly<Record<string, (binaries: Binaries) => string | undefined>> = {
  0: ({ bios }) => bios,
  1: ({ efiIa32 }) => efiIa32,
  2: ({ efiX64 }) => efiX64,
  3: ({ efiX64 }) => efiX64,
  4: () => 'ipxe.pxe',
};

export function publishedContent(components: PublishedContentComponents): PublishedContent {
  const { files, binaries, fileUrls, fetches, basesOf } = components;
  const fileOf = (name: string, { mac }: PublishedClient): Published | undefined => {
    const found = files.find(name);
    if (found === undefined) return undefined;
    if (found.isLoader && mac !== undefined) fetches.note(mac);
    return { kind: 'file', uri: found.uri, sha256: found.sha256 };
  };
  return {
    open: async (name, client) => {
      const found = fileOf(name, client);
      if (found !== undefined) return found;
      const numbered = PIXIECORE_BINARIES[name]?.(binaries);
      if (numbered !== undefined && client.mac !== undefined) return fileOf(numbered, client);
      const booting = /^_\/booting\/(?<mac>[0-9a-f-]{17})$/.exec(name)?.groups;
      if (booting !== undefined) {
        noteBooting(components, parseMac(booting['mac'] ?? ''));
        return { kind: 'text', text: BOOTING_TEXT };
      }
      if (name === 'autoexec.ipxe') return { kind: 'text', text: renderAutoexecScript(basesOf(client.source)[0]) };
      const planned = planFile(name, fileUrls) ?? (await ownFile(name, client, components.issuer));
      if (planned !== undefined) return planned;
      const text = await loaderConfig(name, client, components);
      return text === undefined ? undefined : { kind: 'text', text };
    },
  };
}

/** `_/file/<mac>/<type>/<name>`. */
function planFile(name: string, fileUrls: Pick<FileUrls, 'open'>): Published | undefined {
  const match = /^_\/file\/(?<mac>[0-9a-f-]{17})\/(?<kind>kernel|initrd)\/(?<sealed>[\w-]+)$/.exec(name)?.groups;
  if (match === undefined) return undefined;
  const mac = parseMac(match['mac'] ?? '');
  const located = fileUrls.open(match['sealed'] ?? '', { mac, kind: match['kind'] === 'initrd' ? 'initrd' : 'kernel' });
  return located.ok ? { kind: 'file', ...located.file } : undefined;
}

/** What U-Boot's configuration names. */
async function ownFile(name: string, client: PublishedClient, issuer: BootIssuer): Promise<Published | undefined> {
  const asked = parseOwnFilePath(name);
  const mac = asked?.mac === undefined ? client.mac : parseMac(asked.mac);
  if (asked === undefined || mac === undefined) return undefined;
  const file = await issuer.fileOf({ mac, source: client.source, kind: asked.kind });
  return file && { kind: 'file', ...file };
}
