import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import { z } from 'zod';
import { keepNewest } from '../keep-newest.ts';
import { textOf, toColumn } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { BootSubject } from './boot-plan.ts';

/** What a NIC's DHCP showed of its place, for the script that it asks for by HTTP or TFTP afterwards. */
export interface SubjectMemory {
  note(subject: BootSubject): void;
  find(mac: string): BootSubject | undefined;
}

const MAX_NICS = 16_384;
const PRUNE_EVERY = 1_024;

const stored = z.object({
  mac: z.string(),
  uuid: z.string().optional(),
  circuitId: z.string().optional(),
  remoteId: z.string().optional(),
  architectures: z.array(z.number()),
  hostname: z.string().optional(),
  subnet: z.string().optional(),
});

/** Survives a restart between a machine's DHCP and its script; the disk is touched when something is new. */
export function subjectMemory(database: DatabaseSync, clock: Clock, commits?: GroupCommit): SubjectMemory {
  const put = database.prepare(
    `INSERT INTO boot_subject (mac, subject, seen_at) VALUES (?, ?, ?)
     ON CONFLICT (mac) DO UPDATE SET subject = excluded.subject, seen_at = excluded.seen_at`,
  );
  const get = database.prepare('SELECT subject FROM boot_subject WHERE mac = ?');
  const prune = database.prepare(
    'DELETE FROM boot_subject WHERE mac IN (SELECT mac FROM boot_subject ORDER BY seen_at DESC LIMIT -1 OFFSET ?)',
  );
  const known = new Map<string, BootSubject>();
  let sincePrune = 0;
  const read = (mac: string): BootSubject | undefined => {
    const row = get.get(mac);
    const parsed = row === undefined ? undefined : stored.safeParse(JSON.parse(textOf(row['subject'], 'subject')));
    if (parsed?.success !== true) return undefined;
    const { uuid, circuitId, remoteId, architectures, hostname, subnet } = parsed.data;
    return { mac, uuid, serial: undefined, circuitId, remoteId, architectures, hostname, subnet };
  };
  const keep = (subject: BootSubject): void => {
    keepNewest(known, subject.mac, subject, MAX_NICS);
  };
  return {
    note: (subject) => {
      const { mac, uuid, circuitId, remoteId, architectures, hostname, subnet } = subject;
      const before = known.get(mac);
      if (before !== undefined && isSame(before, subject)) return;
      keep(subject);
      const text = JSON.stringify({ mac, uuid, circuitId, remoteId, architectures, hostname, subnet });
      commits?.willWrite();
      put.run(mac, text, toColumn(clock.now()));
      sincePrune += 1;
      if (sincePrune < PRUNE_EVERY) return;
      sincePrune = 0;
      prune.run(MAX_NICS);
    },
    find: (mac) => {
      const remembered = known.get(mac);
      if (remembered !== undefined) return remembered;
      const found = read(mac);
      if (found !== undefined) keep(found);
      return found;
    },
  };
}

function isSame(a: BootSubject, b: BootSubject): boolean {
  return (
    a.uuid === b.uuid &&
    a.circuitId === b.circuitId &&
    a.remoteId === b.remoteId &&
    a.hostname === b.hostname &&
    a.subnet === b.subnet &&
    a.architectures.length === b.architectures.length &&
    a.architectures.every((type, index) => type === b.architectures[index])
  );
}
