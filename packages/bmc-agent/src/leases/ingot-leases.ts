import { DatabaseSync } from 'node:sqlite';
import { leaseEntry, type LeaseEntry } from './lease.ts';

/** Reads the leases of Ingot's boot server from its database, `boot-server.sqlite` in its data directory. */
export function* ingotLeases(path: string): Generator<LeaseEntry, void, void> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  try {
    const rows = database.prepare("SELECT address, mac, expires_at FROM lease WHERE state = 'bound'").iterate();
    for (const { address, mac, expires_at: expiresAt } of rows) {
      const entry = leaseEntry(dotted(Number(address)), String(mac), Number(expiresAt), true);
      if (entry !== undefined) yield entry;
    }
  } finally {
    database.close();
  }
}

function dotted(address: number): string {
  return [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff].join('.');
}
