import { bytesOfMac, parseMac } from '@ingot/wire';
import type { SealRefusal, Seals } from './seals.ts';

/** A file of a plan. */
export interface BootFile {
  readonly uri: string;
  /** 64 hex digits that it must have, where the plan says so. */
  readonly sha256: string | undefined;
}

/** What a file is loaded as; a name is good for the one that it was made for. */
export type BootFileKind = 'kernel' | 'initrd' | 'file';

/** Whose and what a name is. */
export interface BootFileHolder {
  /** Lower case with colons. */
  readonly mac: string;
  readonly kind: BootFileKind;
}

/** Why a name opens no file. */
export type FileRefusal =
  /** Made by no key of this server, or changed. */
  | 'file-tampered'
  | 'file-expired'
  /** Of another NIC, or of another kind. */
  | 'file-of-another';

export type LocatedFile =
  | { readonly ok: true; readonly file: BootFile }
  | { readonly ok: false; readonly reason: FileRefusal };

/**
 * The names of files in URLs. A name holds the file's URI, sealed, with an end: servers with the same key serve what
 * the others named, whoever has the key only can make one, and nobody can read what it stands for.
 */
export interface FileUrls {
  nameOf(file: BootFile, holder: BootFileHolder): string;
  open(name: string, holder: { readonly mac: string | undefined; readonly kind: BootFileKind }): LocatedFile;
}

const KINDS: readonly BootFileKind[] = ['kernel', 'initrd', 'file'];
const MAC_BYTES = 6;
const SHA256_BYTES = 32;
const HEAD_BYTES = 2 + MAC_BYTES;
const REFUSALS: Readonly<Record<SealRefusal, FileRefusal>> = { tampered: 'file-tampered', expired: 'file-expired' };

export function fileUrls(seals: Seals, lifetimeMs: number): FileUrls {
  return {
    nameOf: ({ uri, sha256 }, { mac, kind }) => {
      const head = Buffer.from([KINDS.indexOf(kind), sha256 === undefined ? 0 : 1, ...bytesOf(mac)]);
      return seals.seal('file', Buffer.concat([head, Buffer.from(sha256 ?? '', 'hex'), Buffer.from(uri)]), lifetimeMs);
    },
    open: (name, { mac, kind }) => {
      const opened = seals.open('file', name);
      if (!opened.ok) return { ok: false, reason: REFUSALS[opened.reason] };
      const { payload } = opened;
      const isIts =
        mac !== undefined && payload[0] === KINDS.indexOf(kind) && payload.subarray(2, HEAD_BYTES).equals(bytesOf(mac));
      if (!isIts) return { ok: false, reason: 'file-of-another' };
      const uriAt = HEAD_BYTES + (payload[1] === 1 ? SHA256_BYTES : 0);
      const sha256 = payload[1] === 1 ? payload.subarray(HEAD_BYTES, uriAt).toString('hex') : undefined;
      return { ok: true, file: { uri: payload.subarray(uriAt).toString(), sha256 } };
    },
  };
}

function bytesOf(mac: string): Uint8Array {
  const parsed = parseMac(mac);
  if (!parsed.ok) throw new TypeError(`${mac} is no hardware address`);
  return bytesOfMac(parsed.value);
}
