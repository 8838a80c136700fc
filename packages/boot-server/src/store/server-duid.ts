import type { DatabaseSync } from 'node:sqlite';

/** The type of a DUID that is made of a UUID (RFC 6355 §4). */
const DUID_UUID = 4;

/**
 * The DUID by which clients know this server, the same for as long as the file is kept: a client renews with the
 * server whose DUID it remembers. Made of `uuid`, 16 random bytes, when there is none yet (RFC 6355).
 */
export function serverDuid(database: DatabaseSync, uuid: () => Uint8Array): Uint8Array {
  const row = database.prepare('SELECT duid FROM server_duid').get();
  if (row?.['duid'] instanceof Uint8Array) return Uint8Array.from(row['duid']);
  const duid = Uint8Array.of(0, DUID_UUID, ...uuid());
  database.prepare('INSERT INTO server_duid (one, duid) VALUES (1, ?)').run(duid);
  return duid;
}
