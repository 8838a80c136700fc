import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { textOf } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import { nicLog } from '../store/nic-log.ts';
import type { BootSubject } from './boot-plan.ts';

/** What a NIC's DHCP showed of its place, for the script that it asks for by HTTP or TFTP afterwards. */
export interface SubjectMemory {
  /** In memory: a NIC that is answered with nothing to boot asks for no script. */
  note(subject: BootSubject): void;
  /** Has what was noted of a NIC survive a restart, if that is new; before it is offered a boot. */
  keep(mac: string): void;
  find(mac: string): BootSubject | undefined;
}

const MAX_NICS = 16_384;

const stored = z.object({
  mac: z.string(),
  uuid: z.string().optional(),
  circuitId: z.string().optional(),
  remoteId: z.string().optional(),
  architectures: z.array(z.number()),
  hostname: z.string().optional(),
  subnet: z.string().optional(),
});

export function subjectMemory(database: DatabaseSync, commits?: GroupCommit): SubjectMemory {
  // Text, as the table has it, is read when somebody asks for it: a start does not wait for all of them.
  const log = nicLog<BootSubject | string>({
    database,
    commits,
    table: 'boot_subject_log',
    columns: ['subject'],
    toRow: (known) => [typeof known === 'string' ? known : textOfSubject(known)],
    fromRow: (row) => textOf(row['subject'], 'subject'),
    max: MAX_NICS,
  });
  const find = (mac: string): BootSubject | undefined => {
    const entry = log.find(mac);
    if (typeof entry?.value !== 'string') return entry?.value;
    const subject = parseSubject(entry.value);
    if (subject !== undefined) entry.value = subject;
    return subject;
  };
  return {
    note: (subject) => {
      const before = find(subject.mac);
      if (before === undefined || !isSame(before, subject)) log.hold(subject.mac, subject);
    },
    keep: (mac) => {
      const entry = log.find(mac);
      if (entry?.isOnDisk === false) log.write(mac, entry.value);
    },
    find,
  };
}

function textOfSubject({ mac, uuid, circuitId, remoteId, architectures, hostname, subnet }: BootSubject): string {
  return JSON.stringify({ mac, uuid, circuitId, remoteId, architectures, hostname, subnet });
}

/** Undefined for what another version wrote. */
function parseSubject(text: string): BootSubject | undefined {
  const parsed = stored.safeParse(JSON.parse(text));
  if (!parsed.success) return undefined;
  const { mac, uuid, circuitId, remoteId, architectures, hostname, subnet } = parsed.data;
  return { mac, uuid, serial: undefined, circuitId, remoteId, architectures, hostname, subnet };
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
