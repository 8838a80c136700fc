import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { createBootDecider, type BootDecider, type PlacedRequest } from '../../src/decide/boot-decider.ts';
import type { BootPlan, BootSource, BootSubject, SourceAnswer } from '../../src/decide/boot-plan.ts';
import { createBootPlanner } from '../../src/decide/boot-planner.ts';
import { loaderFetches, type LoaderFetches } from '../../src/decide/loader-fetches.ts';
import { subjectMemory } from '../../src/decide/subject-memory.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { cachedSource } from '../../src/sources/cached-source.ts';
import { bootStore } from '../../src/store/boots.ts';
import { openDatabase } from '../../src/store/database.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { bootSubject } from '../support/subject.ts';

const AWAY = new BootServerError(BootServerErrorCode.ApiAway, 'connection refused');
const REFUSED = new BootServerError(BootServerErrorCode.ApiRefused, 'no');
const LOCAL: BootPlan = { kind: 'local', message: '' };
const HOLD: BootPlan = { kind: 'hold', message: 'wait' };

const subject = (mac = MAC_1): BootSubject => bootSubject({ mac });

/** A source whose answers a test sets; `asked` has the NICs that it was asked for. */
function fake(
  name: BootSource['name'],
  answer: SourceAnswer | Error | Promise<SourceAnswer>,
  more: Partial<BootSource> = {},
): BootSource & { answer: SourceAnswer | Error | Promise<SourceAnswer>; readonly asked: string[] } {
  const source = {
    name,
    answer,
    asked: [] as string[],
    plan: ({ mac }: BootSubject): SourceAnswer | Promise<SourceAnswer> => {
      source.asked.push(mac);
      if (source.answer instanceof Error) throw source.answer;
      return source.answer;
    },
    ...more,
  };
  return source;
}

describe('the chain', () => {
  it('takes the first answer, and asks nobody after it', () => {
    const [first, second, third] = [fake('profiles', undefined), fake('http', LOCAL), fake('api', HOLD)];
    expect(createBootPlanner([first, second, third]).plan(subject())).toEqual(LOCAL);
    expect([first.asked, second.asked, third.asked]).toEqual([[MAC_1], [MAC_1], []]);
  });

  it('leaves alone whom nobody knows', () => {
    const planner = createBootPlanner([fake('profiles', undefined)]);
    expect(planner.plan(subject())).toMatchObject({ kind: 'ignore' });
    expect(planner.offer(subject())).toMatchObject({ kind: 'ignore' });
  });

  it('takes the loader of one source and the plan of another', async () => {
    const planner = createBootPlanner([
      fake('profiles', { kind: 'next', loader: 'shimx64.efi' }),
      fake('http', Promise.resolve<SourceAnswer>({ ...LOCAL, loader: 'other.efi' })),
    ]);
    expect(await planner.plan(subject())).toEqual({ ...LOCAL, loader: 'shimx64.efi' });
    expect(await planner.offer(subject())).toEqual({ kind: 'boot', loader: 'shimx64.efi' });
  });

  it('has the loader of the first that names one, whoever has the plan', () => {
    const named: BootPlan = { ...LOCAL, loader: 'plan.efi' };
    const chain = (...answers: readonly SourceAnswer[]) =>
      createBootPlanner(answers.map((answer) => fake('profiles', answer)));
    for (const [planner, loader] of [
      [chain({ kind: 'next', loader: 'a.efi' }, { kind: 'next', loader: 'b.efi' }, named), 'a.efi'],
      [chain(undefined, named), 'plan.efi'],
      [chain(LOCAL), undefined],
    ] as const) {
      expect(planner.plan(subject())).toEqual(loader === undefined ? LOCAL : { ...LOCAL, loader });
      expect(planner.offer(subject())).toEqual({ kind: 'boot', loader });
    }
    expect(chain({ kind: 'next', loader: 'a.efi' }).plan(subject())).toMatchObject({ kind: 'ignore', loader: 'a.efi' });
  });

  it.each([
    ['where it stands', 'profiles: rack.yaml:3', /^profiles: rack.yaml:3 names a boot that cannot be carried out/],
    ['whose it is', undefined, /^http names a boot that cannot be carried out/],
  ])('refuses a plan that cannot be carried out, and says %s', (_what, origin, words) => {
    const broken = { title: '', defaultEntry: 'none', timeoutSeconds: 0, entries: [] };
    const planner = createBootPlanner([fake('http', { kind: 'menu', menu: broken, origin })]);
    expect(() => planner.plan(subject())).toThrow(words);
    expect(() => planner.offer(subject())).toThrow(words);
  });

  it('does not go on past a source that is away: the next would boot something else', async () => {
    const next = fake('api', LOCAL);
    const planner = createBootPlanner([fake('http', Promise.reject(AWAY)), next]);
    await expect(planner.plan(subject())).rejects.toBe(AWAY);
    expect(next.asked).toEqual([]);
  });

  it('offers a boot without asking for the plan where the source can say so', () => {
    const source = fake('api', LOCAL, { offers: () => true });
    expect(createBootPlanner([source]).offer(subject())).toEqual({ kind: 'boot', loader: undefined });
    expect(source.asked).toEqual([]);
  });

  it('offers a boot where only the serial number, which iPXE will tell, can decide', () => {
    const planner = createBootPlanner([fake('profiles', undefined, { wantsSerial: true })]);
    expect(planner.offer(subject())).toMatchObject({ kind: 'boot' });
    expect(planner.plan({ ...subject(), serial: '' })).toMatchObject({ kind: 'ignore' });
  });

  it.each<[string, BootPlan]>([
    ['a command line of two commands', { ...kernel(), cmdline: 'quiet && shell' }],
    ['a comment', { ...kernel(), cmdline: 'quiet #' }],
    ['too long a command line', { ...kernel(), cmdline: 'a'.repeat(2_049) }],
    ['a file mark around no URI', { ...kernel(), cmdline: 'a=\0x y\0' }],
    ['half a file mark', { ...kernel(), cmdline: 'a=\0x' }],
    ['a loader that leaves its folder', { ...LOCAL, loader: '../../etc/passwd' }],
    ['a message that echo takes for an option', { kind: 'hold', message: '-n' }],
    ['a menu without its default', menu([{ name: 'a', label: 'A', plan: LOCAL }], 'b')],
    ['a menu entry that is more than a name', menu([{ name: 'a b', label: 'A', plan: LOCAL }], 'a b')],
    [
      'a menu in a menu',
      menu([{ name: 'a', label: 'A', plan: menu([{ name: 'a', label: '', plan: LOCAL }], 'a') }], 'a'),
    ],
    [
      'an endless menu',
      menu(
        Array.from({ length: 65 }, (_, n) => ({ name: `a${n}`, label: '', plan: LOCAL })),
        'a0',
      ),
    ],
    ['a hostile plan in a menu', menu([{ name: 'a', label: 'A', plan: { ...kernel(), kernel: 'ftp://x' } }], 'a')],
  ])('refuses %s', (_what, plan) => {
    expect(() => createBootPlanner([fake('http', plan)]).plan(subject())).toThrow(
      expect.objectContaining({ code: BootServerErrorCode.ApiRefused }),
    );
  });
});

function kernel(): Extract<BootPlan, { kind: 'kernel' }> {
  return { kind: 'kernel', kernel: 'file:///k', initRamDisks: [], cmdline: '', message: '', wantsConfig: false };
}

function menu(entries: Extract<BootPlan, { kind: 'menu' }>['menu']['entries'], defaultEntry: string): BootPlan {
  return { kind: 'menu', menu: { title: 'T', defaultEntry, timeoutSeconds: 1, entries } };
}

interface Cache {
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  /** The source again, with an empty memory and the same disk. */
  readonly restart: (source: BootSource, partitionWide?: boolean) => BootSource;
}

function cache(): Cache {
  const clock = new MockClock();
  const log = new MemoryLogger();
  const database = openDatabase(':memory:');
  onTestFinished(() => database.close());
  return {
    clock,
    log,
    restart: (source, partitionWide = false) =>
      cachedSource({ source, store: bootStore(database, clock), clock, log, partitionWide }),
  };
}

describe('a cached source', () => {
  it('answers DHCP at once from the second packet on, and is asked anew behind it', async () => {
    const { clock, restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(LOCAL));
    const source = restart(api);
    expect(await source.plan(subject(), 'cached')).toEqual(LOCAL);
    expect(source.plan(subject(), 'cached')).toEqual(LOCAL);
    expect(api.asked).toHaveLength(1);
    api.answer = Promise.resolve(HOLD);
    await clock.advance(10_001);
    expect(source.plan(subject(), 'cached')).toEqual(LOCAL);
    await clock.settle();
    expect(source.plan(subject(), 'cached')).toEqual(HOLD);
    expect(api.asked).toHaveLength(2);
  });

  it('asks for a script every time', async () => {
    const { restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(LOCAL));
    const source = restart(api);
    await source.plan(subject(), 'fresh');
    api.answer = Promise.resolve(HOLD);
    expect(await source.plan(subject(), 'fresh')).toEqual(HOLD);
  });

  it('asks once for each machine, however many packets wait for the answer, and no machine waits for another', async () => {
    const { restart } = cache();
    const slow = Promise.withResolvers<SourceAnswer>();
    const api = fake('http', slow.promise);
    const source = restart(api);
    const waiting = [
      source.plan(subject(), 'fresh'),
      source.plan(subject(), 'cached'),
      source.plan(subject(), 'fresh'),
    ];
    api.answer = Promise.resolve(HOLD);
    expect(await source.plan(subject(MAC_2), 'fresh')).toEqual(HOLD);
    expect(api.asked).toEqual([MAC_1, MAC_2]);
    slow.resolve(LOCAL);
    expect(await Promise.all(waiting.map(async (each) => each))).toEqual([LOCAL, LOCAL, LOCAL]);
  });

  it('gives its last answer while the source is away, also after a restart', async () => {
    const { restart, log } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(LOCAL));
    await restart(api).plan(subject(), 'fresh');
    api.answer = AWAY;
    const source = restart(api);
    expect(source.plan(subject(), 'cached')).toEqual(LOCAL);
    expect(await source.plan(subject(), 'fresh')).toEqual(LOCAL);
    expect(log.events('api.away')[0]?.fields).toMatchObject({ mac: MAC_1, from: 'machine', source: 'http' });
    await expect(source.plan(subject(MAC_2), 'fresh')).rejects.toBe(AWAY);
  });

  it('leaves a source alone for a while that did not answer', async () => {
    const { clock, restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(LOCAL));
    const source = restart(api);
    await source.plan(subject(), 'fresh');
    api.answer = AWAY;
    await source.plan(subject(), 'fresh');
    await source.plan(subject(), 'fresh');
    expect(api.asked).toHaveLength(2);
    await clock.advance(5_000);
    await source.plan(subject(), 'fresh');
    expect(api.asked).toHaveLength(3);
  });

  it('of the API boots a new NIC as any other of the partition, while that is away', async () => {
    const { restart } = cache();
    const api = fake('api', Promise.resolve<SourceAnswer>(LOCAL));
    const source = restart(api, true);
    await source.plan(subject(), 'fresh');
    api.answer = AWAY;
    expect(await source.plan(subject(MAC_2), 'fresh')).toEqual(LOCAL);
  });

  it('takes a no for a no, whatever was before', async () => {
    const { restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(LOCAL));
    const source = restart(api);
    await source.plan(subject(), 'fresh');
    api.answer = REFUSED;
    await expect(source.plan(subject(), 'fresh')).rejects.toBe(REFUSED);
    api.answer = undefined;
    expect(await source.plan(subject(), 'fresh')).toBeUndefined();
    api.answer = AWAY;
    await expect(restart(api).plan(subject(), 'fresh')).rejects.toBe(AWAY);
  });

  it('asks again for a machine that was not wanted some seconds ago, before it answers', async () => {
    const { clock, restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(undefined));
    const source = restart(api);
    expect(await source.plan(subject(), 'cached')).toBeUndefined();
    api.answer = Promise.resolve(LOCAL);
    await clock.advance(10_001);
    expect(await source.plan(subject(), 'cached')).toEqual(LOCAL);
  });

  it('asks again also where the clock was put back meanwhile', async () => {
    const { clock, restart } = cache();
    const api = fake('http', Promise.resolve<SourceAnswer>(undefined));
    const source = restart(api);
    expect(await source.plan(subject(), 'cached')).toBeUndefined();
    api.answer = Promise.resolve(LOCAL);
    clock.stepWallClock(-24 * 3_600_000);
    expect(await source.plan(subject(), 'cached')).toEqual(LOCAL);
  });
});

interface Decisions {
  readonly clock: MockClock;
  readonly decide: BootDecider;
  readonly fetches: LoaderFetches;
}

function decisions(source: BootSource, chainRoms = false): Decisions {
  const clock = new MockClock();
  const database = openDatabase(':memory:');
  onTestFinished(() => database.close());
  const fetches = loaderFetches(clock);
  const decide = createBootDecider({
    planner: createBootPlanner([source]),
    decision: { httpUrl: 'http://10.0.0.1:8080', binaries: { bios: 'undionly.kpxe', efiX64: 'snponly.efi' } },
    subjects: subjectMemory(database),
    fetches,
    chainRoms,
    log: new MemoryLogger(),
  });
  return { clock, decide, fetches };
}

const request = (change: Partial<PlacedRequest> = {}): PlacedRequest => ({
  mac: MAC_1,
  uuid: UUID,
  vendorClass: 'PXEClient:Arch:00007:UNDI:003000',
  architectures: [7],
  userClasses: [],
  ipxeFeatures: undefined,
  circuitId: undefined,
  remoteId: undefined,
  subnet: undefined,
  ...change,
});
const ROM = { userClasses: ['iPXE'], ipxeFeatures: new Set([0x13, 0x24]) };

describe('what DHCP is told', () => {
  it('is decided at once where nobody has to be asked', () => {
    expect(decisions(fake('profiles', LOCAL)).decide(request())).toMatchObject({
      path: '52-54-00-00-01-01/snponly.efi',
    });
  });

  it('no source is asked for a client that does not boot', () => {
    const source = fake('http', AWAY);
    expect(decisions(source).decide(request({ vendorClass: 'udhcp', architectures: [] }))).toEqual({
      kind: 'ignore',
      reason: 'not-booting',
    });
    expect(source.asked).toEqual([]);
  });

  it('a machine that no source boots, or that one refuses, is left alone', async () => {
    const notOurs = { kind: 'ignore', reason: 'not-ours' };
    expect(decisions(fake('profiles', { kind: 'ignore', message: '' })).decide(request())).toEqual(notOurs);
    expect(decisions(fake('profiles', undefined)).decide(request())).toEqual(notOurs);
    expect(await decisions(fake('profiles', REFUSED)).decide(request())).toEqual(notOurs);
    expect(await decisions(fake('http', Promise.reject(REFUSED))).decide(request())).toEqual(notOurs);
  });

  it('is not decided while the source is away', async () => {
    await expect(decisions(fake('http', AWAY)).decide(request())).rejects.toBe(AWAY);
  });

  it('another loader, by name for PXE and by name or URL for HTTP boot', () => {
    const named = decisions(fake('profiles', { ...LOCAL, loader: 'shimx64.efi' })).decide;
    const http = { vendorClass: 'HTTPClient:Arch:00016', architectures: [16] };
    expect(named(request())).toMatchObject({ kind: 'chain-tftp', path: '52-54-00-00-01-01/shimx64.efi' });
    expect(named(request(http))).toEqual({ kind: 'ignore', reason: 'needs-pxe' });
    const other = decisions(fake('profiles', { ...LOCAL, loader: 'ipxe.efi' })).decide;
    expect(other(request(http))).toMatchObject({ url: 'http://10.0.0.1:8080/boot/52-54-00-00-01-01/ipxe.efi' });
    const url = decisions(fake('profiles', { ...LOCAL, loader: 'http://mirror/x.efi' })).decide;
    expect(url(request(http))).toMatchObject({ kind: 'chain-http', url: 'http://mirror/x.efi' });
    expect(url(request())).toMatchObject({ kind: 'chain-tftp', path: '52-54-00-00-01-01/snponly.efi' });
    expect(url(request(ROM))).toMatchObject({ kind: 'script' });
  });

  it('the port of the DISCOVER counts for what passes no relay afterwards', () => {
    const seen: (string | undefined)[] = [];
    const source: BootSource = {
      name: 'profiles',
      plan: ({ circuitId, subnet }) => {
        seen.push(circuitId, subnet);
        return LOCAL;
      },
    };
    const { decide } = decisions(source);
    void decide(request({ circuitId: 'Ethernet4', subnet: '10.0.1.0/24' }));
    void decide(request());
    expect(seen).toEqual(['Ethernet4', '10.0.1.0/24', 'Ethernet4', '10.0.1.0/24']);
  });
});

describe('an iPXE in a ROM', () => {
  it('goes straight to the script unless it is to be chained', () => {
    expect(decisions(fake('profiles', LOCAL)).decide(request(ROM))).toMatchObject({ kind: 'script' });
  });

  it('is given our binary once, and the script when it comes back with that', async () => {
    const { decide, fetches, clock } = decisions(fake('profiles', LOCAL), true);
    expect(decide(request(ROM))).toMatchObject({ kind: 'chain-tftp', path: '52-54-00-00-01-01/snponly.efi' });
    fetches.note(MAC_1);
    expect(decide(request(ROM))).toMatchObject({ kind: 'script' });
    expect(decide(request({ ...ROM, mac: MAC_2 }))).toMatchObject({ kind: 'chain-tftp' });
    await clock.advance(5 * 60_000);
    expect(decide(request(ROM))).toMatchObject({ kind: 'chain-tftp' });
  });

  it('that was built for this server is never chained', () => {
    const { decide } = decisions(fake('profiles', LOCAL), true);
    expect(decide(request({ ...ROM, userClasses: ['pixiecore'] }))).toMatchObject({ kind: 'script' });
  });
});
