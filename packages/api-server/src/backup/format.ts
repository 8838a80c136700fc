import type { Entropy } from '@ingot/net';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { checkingSeal, encryptingSeal, type Seal } from './seal.ts';

/**
 * The file: eight bytes that name the format, the header's length (32 bits, big-endian), the header as JSON, and the
 * parts. A part is its length (31 bits) with the highest bit set for the last, and its sealed content. All contents
 * together are a gzip stream.
 */
const MAGIC = Buffer.from('INGOTBK1', 'latin1');
const PART_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 4 * 1024;
const LAST = 0x8000_0000;

/** What everybody may read of a backup. */
export interface BackupHeader {
  /** Migrations that the database had seen. */
  readonly schema: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Version of the program. */
  readonly program: string;
  /** Base64, for the key of this backup; undefined if it is not encrypted. */
  readonly salt: string | undefined;
}

export interface WriteOptions {
  readonly header: Omit<BackupHeader, 'salt'>;
  readonly key: Uint8Array | undefined;
  readonly entropy: Entropy;
}

/** Puts a stream of bytes into the file's format. */
export async function* sealed(
  content: AsyncIterable<Uint8Array>,
  { header, key, entropy }: WriteOptions,
): AsyncGenerator<Buffer> {
  const salt = key === undefined ? undefined : Buffer.from(entropy.bytes(32)).toString('base64');
  const json = Buffer.from(JSON.stringify({ ...header, salt }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  yield Buffer.concat([MAGIC, length, json]);
  const seal = sealOf(json, salt, key);
  let pending = Buffer.alloc(0);
  let index = 0;
  for await (const bytes of content) {
    pending = Buffer.concat([pending, bytes]);
    // The last part is not known until the end, so one part is always held back.
    while (pending.length > PART_BYTES) {
      yield part(seal, index, false, pending.subarray(0, PART_BYTES));
      pending = pending.subarray(PART_BYTES);
      index += 1;
    }
  }
  yield part(seal, index, true, pending);
}

function part(seal: Seal, index: number, last: boolean, content: Uint8Array): Buffer {
  const body = seal.seal(index, last, content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE((body.length | (last ? LAST : 0)) >>> 0);
  return Buffer.concat([length, body]);
}

function sealOf(header: Uint8Array, salt: string | undefined, key: Uint8Array | undefined): Seal {
  if (salt === undefined) return checkingSeal(header);
  if (key === undefined) {
    throw new BackupError(BackupErrorCode.Key, 'this backup is encrypted: give the file with its key (--key-file)');
  }
  return encryptingSeal(key, Buffer.from(salt, 'base64'), header);
}

/** A backup that is being read: its header, checked only together with its content, and the content. */
export interface OpenedBackup {
  readonly header: BackupHeader;
  readonly content: AsyncGenerator<Buffer>;
}

/** Reads what `sealed` has written. Both this and its content throw a `BackupError` for anything else. */
export async function unsealed(file: AsyncIterable<Uint8Array>, key: Uint8Array | undefined): Promise<OpenedBackup> {
  const cursor = cursorOver(file);
  const magic = await cursor.take(MAGIC.length);
  if (magic === undefined || !magic.equals(MAGIC)) throw damaged('it is no backup of Ingot');
  const length = (await cursor.take(4))?.readUInt32BE();
  if (length === undefined || length > MAX_HEADER_BYTES) throw damaged('its header is damaged');
  const json = await cursor.take(length);
  const header = json === undefined ? undefined : parseHeader(json);
  if (json === undefined || header === undefined) throw damaged('its header is damaged');
  if (header.salt === undefined && key !== undefined) {
    throw new BackupError(
      BackupErrorCode.Key,
      'this backup is not encrypted: leave the key away, if that is what you expect',
    );
  }
  return { header, content: contents(cursor, sealOf(json, header.salt, key), key !== undefined) };
}

async function* contents(cursor: Cursor, seal: Seal, encrypted: boolean): AsyncGenerator<Buffer> {
  for (let index = 0; ; index += 1) {
    const word = (await cursor.take(4))?.readUInt32BE();
    if (word === undefined) throw damaged('it is cut off');
    const last = word >= LAST;
    const length = last ? word - LAST : word;
    if (length > PART_BYTES + seal.overhead) throw damaged(`part ${index + 1} is damaged`);
    const body = await cursor.take(length);
    if (body === undefined) throw damaged('it is cut off');
    const content = seal.open(index, last, body);
    if (content === undefined) {
      throw damaged(encrypted && index === 0 ? 'it is damaged, or the key is another' : `part ${index + 1} is damaged`);
    }
    yield content;
    if (last) break;
  }
  if (!(await cursor.atEnd())) throw damaged('something follows its end');
}

function parseHeader(json: Buffer): BackupHeader | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { schema, createdAt, program, salt }: Partial<Record<keyof BackupHeader, unknown>> = parsed;
  if (typeof schema !== 'number' || !Number.isSafeInteger(schema) || schema < 1) return undefined;
  if (typeof createdAt !== 'string' || typeof program !== 'string') return undefined;
  if (salt !== undefined && typeof salt !== 'string') return undefined;
  return { schema, createdAt, program, salt };
}

function damaged(what: string): BackupError {
  return new BackupError(BackupErrorCode.Damaged, `the backup cannot be used: ${what}; take another one`);
}

interface Cursor {
  /** Exactly so many bytes; undefined if there are fewer. */
  take(count: number): Promise<Buffer | undefined>;
  atEnd(): Promise<boolean>;
}

function cursorOver(file: AsyncIterable<Uint8Array>): Cursor {
  const chunks = file[Symbol.asyncIterator]();
  let pending = Buffer.alloc(0);
  const fill = async (count: number): Promise<boolean> => {
    while (pending.length < count) {
      const next = await chunks.next();
      if (next.done === true) return false;
      pending = Buffer.concat([pending, next.value]);
    }
    return true;
  };
  return {
    async take(count) {
      if (!(await fill(count))) return undefined;
      const taken = pending.subarray(0, count);
      pending = pending.subarray(count);
      return taken;
    },
    atEnd: async () => !(await fill(1)),
  };
}
