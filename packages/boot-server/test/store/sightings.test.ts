import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MockClock } from '@ingot/net';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('sightings', () => {
  it('survive the process, and the newest counts', () => {
    const path = join(temporaryFolder(), 'sightings.sqlite');
    const clock = new MockClock();
    const database = openDatabase(path);
    const store = sightingStore(database, clock);
    store.saw(MAC_1, 'a');
    store.saw(MAC_1, 'b');
    store.saw(MAC_1, undefined);
    store.saw(MAC_2, undefined);
    database.close();
    const again = openDatabase(path);
    const reopened = sightingStore(again, clock);
    expect(reopened.find(MAC_1)).toEqual({ mac: MAC_1, uuid: 'b', seenAt: clock.now() });
    expect(reopened.find(MAC_2)).toEqual({ mac: MAC_2, uuid: undefined, seenAt: clock.now() });
    again.close();
  });

  it('of one NIC are written once in 10 s, and known to the millisecond', async () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    const rows = (): number => Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n']);
    store.saw(MAC_1, 'a');
    await clock.advance(9_999);
    store.saw(MAC_1, 'a');
    expect(rows()).toBe(1);
    expect(store.find(MAC_1)?.seenAt).toBe(clock.now());
    await clock.advance(1);
    store.saw(MAC_1, 'a');
    expect(rows()).toBe(2);
    database.close();
  });

  it('of invented NICs fill neither memory nor disk', () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    groupCommit(database).run(() => {
      for (let index = 0; index < 300_000; index += 1) store.saw(`mac ${index}`, undefined);
    });
    expect(Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n'])).toBeLessThanOrEqual(
      140_000,
    );
    expect(store.find('mac 0')).toBeUndefined();
    expect(store.find('mac 299999')).toBeDefined();
    database.close();
  });

  it('of a NIC unseen for long are kept while others come and go', async () => {
    const clock = new MockClock();
    const database = openDatabase(':memory:');
    const store = sightingStore(database, clock);
    store.saw(MAC_1, 'a');
    for (let round = 0; round < 40; round += 1) {
      await clock.advance(10_000);
      groupCommit(database).run(() => {
        for (let index = 0; index < 5_000; index += 1) store.saw(`mac ${index}`, undefined);
      });
    }
    expect(Number(database.prepare('SELECT count(*) AS n FROM sighting_log').get()?.['n'])).toBeLessThanOrEqual(
      140_000,
    );
    expect(store.find(MAC_1)).toBeDefined();
    const again = sightingStore(database, clock);
    expect(again.find(MAC_1)?.uuid).toBe('a');
    database.close();
  });
});
