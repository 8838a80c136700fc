import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import type { BootPlan } from '../src/decide/boot-plan.ts';
import { bootStore } from '../src/store/boots.ts';
import { openDatabase } from '../src/store/database.ts';
import { groupCommit } from '../src/store/group-commit.ts';
import { MAC_1, MAC_2, temporaryFolder } from './harness.ts';

const plan = (cmdline: string): BootPlan => ({
  kind: 'kernel',
  kernel: 'file:///boot/vmlinuz',
  initRamDisks: [],
  cmdline,
  message: '',
  wantsConfig: false,
});

/** One turn of the event loop, after which answers are on disk. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('the last answers of the sources', () => {
  it('are known at once, and on disk together after a turn of the event loop', async () => {
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
    const onDisk = bootStore(other, clock);
    expect(onDisk.recall('http', MAC_1)).toBeUndefined();
    await turn();
    expect(onDisk.recall('http', MAC_1)).toEqual(known);
    expect(onDisk.recall('http', MAC_2)?.plan).toEqual(plan('two'));
    expect(store.recall('http', MAC_1)).toEqual(known);
  });

  it('that were forgotten before they were written stay forgotten', async () => {
    using database = openDatabase(join(temporaryFolder(), 'boot-server.sqlite'));
    const store = bootStore(database, new MockClock(), { commits: groupCommit(database), log: new MemoryLogger() });
    store.remember('http', MAC_1, plan('one'));
    store.forget('http', MAC_1);
    await turn();
    expect(store.recall('http', MAC_1)).toBeUndefined();
  });
});
