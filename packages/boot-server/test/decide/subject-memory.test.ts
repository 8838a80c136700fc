import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MockClock } from '@ingot/net';
import type { BootSubject } from '../../src/decide/boot-plan.ts';
import { subjectMemory } from '../../src/decide/subject-memory.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const subject = (change: Partial<BootSubject> = {}): BootSubject => ({
  mac: MAC_1,
  uuid: UUID,
  serial: undefined,
  circuitId: 'Ethernet4',
  remoteId: undefined,
  architectures: [7],
  hostname: undefined,
  subnet: '10.0.1.0/24',
  ...change,
});

describe('what a NIC showed of its place', () => {
  it('is known at once, and on disk from the moment that the NIC is answered', () => {
    const path = join(temporaryFolder(), 'boot-server.sqlite');
    using database = openDatabase(path);
    using other = openDatabase(path);
    const afterAKill = (): BootSubject | undefined => subjectMemory(other).find(MAC_1);
    const commits = groupCommit(database);
    const subjects = subjectMemory(database, commits);
    const sightings = sightingStore(database, new MockClock(), { commits, onSaw: (mac) => subjects.keep(mac) });
    commits.run(() => subjects.note(subject()));
    expect(subjects.find(MAC_1)).toEqual(subject());
    expect(afterAKill()).toBeUndefined();
    commits.run(() => {
      sightings.saw(MAC_1, UUID);
      // One commit for both.
      expect(afterAKill()).toBeUndefined();
    });
    expect(afterAKill()).toEqual(subject());
    // Its next packet comes from another port, within the time in which a sighting is not written again.
    commits.run(() => subjects.note(subject({ circuitId: 'Ethernet8' })));
    expect(afterAKill()?.circuitId).toBe('Ethernet4');
    commits.run(() => sightings.saw(MAC_1, UUID));
    expect(afterAKill()?.circuitId).toBe('Ethernet8');
  });

  it('is written when it is new, and again when a commit failed', () => {
    using database = openDatabase(':memory:');
    const commits = groupCommit(database);
    const subjects = subjectMemory(database, commits);
    const rows = (): unknown => database.prepare('SELECT count(*) AS n FROM boot_subject_log').get()?.['n'];
    const answer = (change: Partial<BootSubject> = {}): void => {
      subjects.note(subject(change));
      subjects.keep(MAC_1);
    };
    commits.run(() => answer());
    commits.run(() => answer());
    expect(rows()).toBe(1);
    const failing = (): void =>
      commits.run(() => {
        answer({ circuitId: 'Ethernet8' });
        throw new Error('disk full');
      });
    expect(failing).toThrow('disk full');
    expect(rows()).toBe(1);
    commits.run(() => answer({ circuitId: 'Ethernet8' }));
    expect(rows()).toBe(2);
    expect(subjectMemory(database).find(MAC_1)?.circuitId).toBe('Ethernet8');
  });

  it('nothing is kept of a NIC that was never noted', () => {
    using database = openDatabase(':memory:');
    const subjects = subjectMemory(database);
    subjects.keep(MAC_2);
    expect(subjects.find(MAC_2)).toBeUndefined();
    expect(database.prepare('SELECT count(*) AS n FROM boot_subject_log').get()?.['n']).toBe(0);
  });

  it('of invented NICs fills neither memory nor disk, answered or not', () => {
    using database = openDatabase(':memory:');
    const commits = groupCommit(database);
    const subjects = subjectMemory(database, commits);
    commits.run(() => {
      for (let index = 0; index < 80_000; index += 1) {
        const mac = `mac ${index}`;
        subjects.note(subject({ mac }));
        if (index % 2 === 0) subjects.keep(mac);
      }
    });
    expect(Number(database.prepare('SELECT count(*) AS n FROM boot_subject_log').get()?.['n'])).toBeLessThan(34_000);
    for (const memory of [subjects, subjectMemory(database)]) {
      expect(memory.find('mac 0')).toBeUndefined();
      expect(memory.find('mac 79998')).toEqual(subject({ mac: 'mac 79998' }));
    }
  });

  it('is taken over from the table of an older version', () => {
    const path = join(temporaryFolder(), 'boot-server.sqlite');
    openDatabase(path).close();
    {
      using older = new DatabaseSync(path);
      older.exec(
        `DROP TABLE boot_subject_log;
         CREATE TABLE boot_subject (mac TEXT PRIMARY KEY, subject TEXT NOT NULL, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         CREATE INDEX boot_subject_seen_at ON boot_subject (seen_at);
         PRAGMA user_version = 6;`,
      );
      const put = older.prepare('INSERT INTO boot_subject VALUES (?, ?, ?)');
      put.run(MAC_1, JSON.stringify(subject()), 2);
      put.run(MAC_2, JSON.stringify({ from: 'a version that nobody knows' }), 1);
    }
    using database = openDatabase(path);
    const subjects = subjectMemory(database);
    expect(subjects.find(MAC_1)).toEqual(subject());
    expect(subjects.find(MAC_2)).toBeUndefined();
    subjects.note(subject({ mac: MAC_2 }));
    expect(subjects.find(MAC_2)?.mac).toBe(MAC_2);
  });
});
