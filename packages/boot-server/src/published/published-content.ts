import type { Logger } from '@ingot/daemon';
import { BOOTING_TEXT, noteBooting } from './booting.ts';
import type { BootIssuer } from '../decide/boot-issuer.ts';
import type { LoaderFetches } from '../decide/loader-fetches.ts';
import type { Binaries } from '../decide/decision.ts';
import { renderGrubConfig, renderGrubRedirect, renderGrubRefusal, type GrubSetting } from '../grub/script.ts';
import { parseOwnFilePath, renderPxelinuxConfig } from '../grub/pxelinux.ts';
import type { FileUrls } from '../http/file-urls.ts';
import { parseMac } from '../identity.ts';
import { renderAutoexecScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
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

export interface PublishedContentComponents {
  readonly log: Logger;
  /** Undefined: nothing is counted. */
  readonly metrics: BootMetrics | undefined;
  readonly files: PublishedFiles;
  readonly binaries: Binaries;
  readonly fileUrls: Pick<FileUrls, 'open'>;
  readonly issuer: BootIssuer;
  readonly fetches: LoaderFetches;
  readonly bases: GrubSetting['bases'];
  /** For clients over IPv6; undefined without DHCPv6. */
  readonly bases6: GrubSetting['bases'] | undefined;
  readonly tftpServer: string;
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
  const { files, binaries, fileUrls, fetches, bases, bases6 = bases } = components;
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
      if (name === 'autoexec.ipxe')
        return { kind: 'text', text: renderAutoexecScript((client.source.includes(':') ? bases6 : bases)[0]) };
      const planned = planFile(name, fileUrls) ?? (await ownFile(name, client, components.issuer));
      if (planned !== undefined) return planned;
      const text = await configOf(name, client, components);
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

async function configOf(
  name: string,
  client: PublishedClient,
  components: PublishedContentComponents,
): Promise<string | undefined> {
  const match =
    /^(?:grub\/)?(?<kind>grub\.cfg|pxelinux\.cfg\/)(?<own>-?01-(?<mac>[0-9a-f]{2}(?:[-:][0-9a-f]{2}){5})(?:\/(?<entry>[\w-]{1,32}))?)?$/i.exec(
      name,
    )?.groups;
  if (match === undefined) return undefined;
  const isGrub = match['kind']?.toLowerCase() === 'grub.cfg';
  // grub.cfg-01-…, but pxelinux.cfg/01-…
  if (match['own'] !== undefined && match['own'].startsWith('-') !== isGrub) return undefined;
  if (match['own'] === undefined && !isGrub) return undefined;
  const mac = match['mac'] === undefined ? client.mac : parseMac(match['mac']);
  if (mac === undefined) return renderGrubRedirect();
  const { log, metrics, issuer, bases, tftpServer } = components;
  const answer = await issuer.issue({
    mac,
    source: client.source,
    base: bases[0],
    arch: '0',
    uuid: undefined,
    // These boot loaders cannot be asked for what SMBIOS says.
    saidUuid: true,
    serial: '',
    entry: match['entry'],
  });
  if (answer.kind !== 'steps') {
    const message = answer.kind === 'refused' ? answer.message : 'it shows no UUID';
    log.warn(
      { event: 'http.refused', mac, reason: answer.kind === 'refused' ? answer.reason : 'no-uuid', file: name },
      `no boot script: ${message}`,
    );
    return isGrub ? renderGrubRefusal(message) : undefined;
  }
  const text = isGrub
    ? renderGrubConfig(answer.steps, { mac, bases, tftpServer })
    : renderPxelinuxConfig(answer.steps, mac);
  if (text === undefined) return undefined;
  const { plan, uuid } = answer;
  metrics?.stage('http.script');
  log.info(
    {
      event: 'http.script',
      mac,
      uuid,
      plan: plan.kind,
      origin: plan.origin,
      file: name,
      ...(plan.kind === 'kernel' ? { kernel: plan.kernel, wantsConfig: plan.wantsConfig } : {}),
    },
    'gave the boot script',
  );
  return text;
}
