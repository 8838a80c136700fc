import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { ArtifactStore } from '../artifacts/store.ts';
import { parseBootFilePath } from '../decide/decision.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac } from '../identity.ts';
import type { BootMetrics } from '../metrics.ts';
import type { PublishedContent } from '../published/published-content.ts';
import { deliver } from './deliver.ts';
import type { BootFileKind, FileUrls } from './file-urls.ts';
import { sendError, sendText } from './reply.ts';
import type { Request } from './request.ts';

export interface FileRouteComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly artifacts: ArtifactStore;
  readonly fileUrls: Pick<FileUrls, 'open'>;
  readonly published: PublishedContent;
  /** Who leased this address here. */
  readonly macOf: (address: string) => string | undefined;
  /** The machine that this NIC said to belong to, for the log. */
  readonly uuidOf: (mac: string) => string | undefined;
}

/** `/_/file?name=&type=kernel|initrd|file&mac=`: a file of a plan, under the name that the script gave it. */
export async function serveBootFile(request: Request, components: FileRouteComponents): Promise<void> {
  const { log, metrics, fileUrls, uuidOf } = components;
  const kind = kindOf(request.query.get('type'));
  const mac = parseMac(request.query.get('mac') ?? '');
  const located = fileUrls.open(request.query.get('name') ?? '', { mac, kind });
  if (!located.ok) {
    const { reason } = located;
    metrics.drop('http', reason);
    log.warn(
      { event: 'http.refused', mac, uuid: mac === undefined ? undefined : uuidOf(mac), kind, reason },
      'the name of a file is not good, or not good any more: the machine must fetch its boot script again',
    );
    sendError(request, 403, reason.replaceAll('-', '_'), 'fetch the boot script again: it has new names for its files');
    return;
  }
  await serve(request, components, { ...located.file, kind, mac, contentType: 'application/octet-stream' });
}

function kindOf(type: string | null): BootFileKind {
  return type === 'initrd' || type === 'file' ? type : 'kernel';
}

/** `/boot/<mac>/<file>` and GRUB's `/grub/…` and `/_/file/…`: what TFTP has under the same names. */
export async function servePublished(request: Request, components: FileRouteComponents): Promise<void> {
  const { mac: named, file } = parseBootFilePath(request.path.replace(/^\/(?:boot\/+)?/, ''));
  const source = request.source ?? '';
  const mac = named ?? components.macOf(source);
  // A text is made when it is given, and may have a nonce in it: nothing to look at beforehand.
  const found =
    isText(file) && request.method === 'HEAD' ? undefined : await components.published.open(file, { mac, source });
  if (found === undefined) {
    components.metrics.drop('http', 'unknown-file');
    sendError(request, 404, 'unknown_file', `${file} is not published`);
    return;
  }
  if (found.kind === 'text') return sendText(request, 200, found.text);
  const [, , , planned] = file.startsWith('_/file/') ? file.split('/') : [];
  await serve(request, components, {
    uri: found.uri,
    sha256: found.sha256,
    kind: planned === 'kernel' || planned === 'initrd' ? planned : 'ipxe',
    mac,
    // EDK2 tells an EFI program from a disk image by this type or by the ending of the name.
    contentType: planned === undefined ? 'application/efi' : 'application/octet-stream',
  });
}

function isText(file: string): boolean {
  return /(?:^|\/)(?:grub|pxelinux)\.cfg|^_\/booting\//i.test(file);
}

interface Subject {
  readonly uri: string;
  /** Which it must have. */
  readonly sha256: string | undefined;
  readonly kind: BootFileKind | 'ipxe';
  readonly mac: string | undefined;
  readonly contentType: string;
}

async function serve(request: Request, components: FileRouteComponents, subject: Subject): Promise<void> {
  const { clock, log, metrics, artifacts } = components;
  const { uri, kind, mac } = subject;
  const who = { mac, uuid: mac === undefined ? undefined : components.uuidOf(mac), kind };
  try {
    using artifact = await artifacts.get(uri, subject);
    await deliver(request, artifact, subject.contentType, { clock, log, metrics }, { ...who, uri });
  } catch (error) {
    metrics.drop('http', 'file-unavailable');
    const code = error instanceof BootServerError ? error.code : BootServerErrorCode.ArtifactUnavailable;
    const message = wordsOf(error);
    log.error({ event: 'http.unavailable', ...who, uri, err: error }, `the ${kind} cannot be served: ${message}`);
    sendError(request, code === BootServerErrorCode.ArtifactRefused ? 403 : 503, code, message, { 'retry-after': '5' });
  }
}
