import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import type { BootPlan } from '../../src/decide/boot-plan.ts';
import { bootStore } from '../../src/store/boots.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const plan = (cmdline: string): BootPlan => ({
  kind: 'kernel',
  kernel: 'file:///boot/vmlinuz',
  initRamDisks: [],
  cmdline,
  message: '',
  wantsConfig: false,
});

describe('the last answers of the sources', () => {
  it('are known at once, and on disk together 20 ms later', async () => {
    const path = join(temporaryFolder(), 'boot-server.sqlite');
    const clock = new MockClock();
    using database = openDatabase(path);
    const commits = groupCommit(database);
    const store = bootStore(database, clock, { commits, log: new MemoryLogger() });
    store.remember('http', MAC_1, plan('old'));
    store.remember('http', MAC_2, plan('two'));
    store.remember('http', MAC_1, plan('one'));
    const known = { plan: plan('one'), answeredAt: clock.now() };
    expect(store.recall('http', MAC_1)).toMatchObject(known);
    expect(store.newest('http')).toMatchObject(known);
    expect(store.newest('api')).toBeUndefined();
    // As a DHCP round asks, in the middle of its own transaction.
    commits.run(() => {
      commits.willWrite();
      expect(store.newest('http')).toMatchObject(known);
    });
    using other = openDatabase(path);
    expect(bootStore(other, clock).recall('http', MAC_1)).toBeUndefined();
    await clock.advance(20);
    const onDisk = bootStore(other, clock);
    expect(onDisk.recall('http', MAC_1)).toEqual(known);
    expect(onDisk.recall('http', MAC_2)?.plan).toEqual(plan('two'));
    expect(store.recall('http', MAC_1)).toEqual(known);
  });

  it('are on disk at once when the server stops', () => {
    const path = join(temporaryFolder(), 'boot-server.sqlite');
    const clock = new MockClock();
    using database = openDatabase(path);
    const store = bootStore(database, clock, { commits: groupCommit(database), log: new MemoryLogger() });
    store.remember('http', MAC_1, plan('one'));
    store.flush();
    using other = openDatabase(path);
    expect(bootStore(other, clock).recall('http', MAC_1)?.plan).toEqual(plan('one'));
  });

  it('go when there are more than 65,536 of one source, those of another source do not', async () => {
    using database = openDatabase(join(temporaryFolder(), 'boot-server.sqlite'));
    const clock = new MockClock();
    const store = bootStore(database, clock, { commits: groupCommit(database), log: new MemoryLogger() });
    store.remember('api', MAC_1, plan('other'));
    const macOf = (index: number): string =>
      `02:00:00:${index.toString(16).padStart(6, '0').match(/../g)?.join(':') ?? ''}`;
    const count = 65_536 + 1_024;
    for (let index = 0; index < count; index += 1) {
      if (index % 1_024 === 0) await clock.advance(1);
      store.remember('http', macOf(index), plan(String(index)));
    }
    store.flush();
    expect(store.recall('http', macOf(0))).toBeUndefined();
    expect(store.recall('http', macOf(1_023))).toBeUndefined();
    expect(store.recall('http', macOf(1_024))?.plan).toEqual(plan('1024'));
    expect(store.recall('api', MAC_1)?.plan).toEqual(plan('other'));
  });

  it('that were forgotten before they were written stay forgotten', async () => {
    using database = openDatabase(join(temporaryFolder(), 'boot-server.sqlite'));
    const clock = new MockClock();
    const store = bootStore(database, clock, { commits: groupCommit(database), log: new MemoryLogger() });
    store.remember('http', MAC_1, plan('one'));
    store.forget('http', MAC_1);
    await clock.advance(20);
    expect(store.recall('http', MAC_1)).toBeUndefined();
  });
});
