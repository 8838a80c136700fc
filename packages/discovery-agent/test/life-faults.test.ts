import { ApiError, Code } from '@ingot/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Wipe } from '../src/life/wipe-order.ts';
import { FakeBmc } from './fake-bmc.ts';
import { pem, Rig, twoLeaves } from './life-rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const timeout = 40_000;

test(
  'an API that goes away while the machine waits is found again, and the machine waits on',
  { timeout },
  async () => {
    await rig.start();
    await rig.until(() => rig.waiting === 1);
    await rig.stopApi();
    await rig.until(() => rig.said.includes('waiting lost the API'));
    expect(rig.board.view().api).toContain('lost:');
    await rig.listen();
    await rig.until(() => rig.waiting === 1);
    expect(rig.steps.filter((event) => event.startsWith('WAITING'))).toHaveLength(1);
  },
);

test('an API that is away from the beginning loses no event and not their order', { timeout }, async () => {
  let isAway = true;
  const onEvent = (): void => {
    if (isAway) throw new ApiError(Code.Unavailable, 'starting');
  };
  rig.onEvent = onEvent;
  rig.machine = () => {
    onEvent();
    return {};
  };
  await rig.start({
    boot: {
      register: ({ uuid, partition }) => {
        onEvent();
        return { uuid, size: 'c1-large', partition };
      },
    },
  });
  await rig.until(() => rig.said.includes('register Unavailable: starting; again in'));
  expect(rig.events).toEqual([]);
  isAway = false;
  await rig.untilEvent('WAITING');
  expect(rig.steps).toEqual([
    'PREPARING: starting discovery agent 0.1.0',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
});

test('an API that is slower than its deadlines is asked again, and loses no event', { timeout }, async () => {
  const kept: string[] = [];
  const never = new Promise<never>(() => undefined);
  /** The first question of each kind gets no answer. */
  const late = (kind: string): Promise<void> => {
    if (kept.includes(kind)) return Promise.resolve();
    kept.push(kind);
    return never;
  };
  rig.onEvent = (event) => late(event.split(':')[0] ?? '');
  await rig.start({
    times: { callTimeoutMs: 400, registerTimeoutMs: 600 },
    boot: {
      register: async (request) => {
        await late('register');
        rig.registered.push(request);
        return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
      },
    },
  });
  await rig.until(() => rig.waiting === 1 && rig.steps.length === 3);
  expect(kept).toEqual(expect.arrayContaining(['PREPARING', 'register', 'REGISTERING', 'WAITING']));
  expect(rig.registered).toHaveLength(1);
  expect(rig.steps).toEqual([
    'PREPARING: starting discovery agent 0.1.0',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
  expect(rig.said).toMatch(/register DeadlineExceeded: .*; again in/);
});

test('an event that the API refuses is said, and holds nothing up', { timeout }, async () => {
  rig.onEvent = () => {
    throw new ApiError(Code.PermissionDenied, 'not for machines');
  };
  await rig.start();
  await rig.until(() => rig.waiting === 1);
  expect(rig.said).toContain('event not delivered: not for machines; left out');
});

test(
  'an API with a certificate of somebody else is told nothing, and named, until the boot server knows its authority',
  { timeout },
  async () => {
    let authority = pem('other-ca.pem');
    await rig.start({
      httpGet: () => {
        const client = { ...Object(rig.config['client']), ca_cert: authority };
        return Promise.resolve({
          status: 200,
          body: JSON.stringify({ ...rig.config, client }),
          dateMs: rig.clock.now(),
        });
      },
    });
    await rig.until(() => /register Unavailable: .*certificate.*; again in/i.test(rig.said));
    expect([rig.events, rig.tokens]).toEqual([[], []]);
    authority = pem('ca.pem');
    await rig.untilEvent('WAITING');
    expect(rig.steps).toEqual([
      'PREPARING: starting discovery agent 0.1.0',
      'REGISTERING: registering',
      'WAITING: waiting for allocation',
    ]);
  },
);

test.each(['standing', 'inventory', 'lldp', 'bmc', 'register', 'wipe', 'waiting', 'allocated'])(
  'an API that goes away as the phase %s begins delays the machine, and loses no event',
  { timeout },
  async (phase) => {
    let away: Promise<void> | undefined;
    rig.onLine = (line) => {
      if (line.split(' ')[2] === phase) away ??= rig.stopApi();
    };
    const wipe: Wipe = async (_order, { confirm }) => {
      const now = await confirm();
      return typeof now === 'string' ? { kind: 'refused', reason: now } : { kind: 'done', words: 'all' };
    };
    if (phase === 'wipe') rig.orderWipe('order-1');
    if (phase === 'allocated') rig.allocate();
    await rig.start({ wipe, config: { agent: { allocated: 'hold' } } });
    await rig.until(() => away !== undefined);
    await away;
    const [lines, events] = [rig.lines.length, rig.events.length];
    const noticed = /; again in \d+ s|cannot say that this machine is alive/;
    await rig.until(() => rig.lines.slice(lines).some((line) => noticed.test(line)), 1_000);
    expect(rig.events).toHaveLength(events);
    if (phase === 'allocated') rig.machine = () => ({});
    await rig.listen();
    await rig.until(() => rig.waiting === 1 && rig.steps.some((event) => event.startsWith('WAITING')));
    expect(rig.steps.filter((event) => event.startsWith('PREPARING')).length).toBe(phase === 'allocated' ? 2 : 1);
    expect(rig.steps.filter((event) => event.startsWith('CRASHED'))).toEqual([]);
    expect(rig.steps.at(-1)).toBe('WAITING: waiting for allocation');
    expect([rig.outcome, rig.reboots]).toEqual([undefined, 0]);
  },
);

test('a clock that is wrong by years is set before the API is asked', { timeout }, async () => {
  const real = rig.clock.now();
  rig.clock.stepWallClock(-20 * 365 * 86_400_000);
  const set: string[] = [];
  await rig.start({
    httpGet: () => Promise.resolve({ status: 200, body: JSON.stringify(rig.config), dateMs: real }),
    run: (file, args) => {
      if (file !== 'date') return Promise.reject(new Error(`no ${file}`));
      set.push(args.join(' '));
      rig.clock.stepWallClock(real - rig.clock.now());
      return Promise.resolve('');
    },
  });
  await rig.untilEvent('WAITING');
  expect(set).toEqual([`-u -s @${Math.floor(real / 1000)}`]);
  expect(rig.said).toMatch(/clock was \d+ s behind the boot server, set/);
});

const oneLeaf = JSON.stringify({ lldp: [{ interface: [{ ...firstInterface() }] }] });

function firstInterface(): object {
  const parsed: unknown = JSON.parse(twoLeaves);
  return Object(Object(Object(parsed)['lldp'])['interface'])[0] ?? {};
}

test(
  'one leaf only: the API refuses, Crashed says which port heard nothing, and a new cable mends it',
  { timeout },
  async () => {
    rig.neighbors = oneLeaf;
    await rig.start({
      boot: {
        register: (request) => {
          rig.registered.push(request);
          const seen = new Set(
            request.hardware?.nics.flatMap(({ neighbors }) => neighbors.map(({ hostname }) => hostname)),
          );
          if (seen.size < 2) throw new ApiError(Code.FailedPrecondition, `expected leaf1 and leaf2, saw ${seen.size}`);
          return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
        },
      },
    });
    await rig.untilEvent('CRASHED: register: expected leaf1 and leaf2, saw');
    expect(rig.steps.find((event) => event.startsWith('CRASHED'))).toContain('eth1');
    expect(rig.board.view().problems.join('\n')).toContain('LLDP:');
    rig.neighbors = twoLeaves;
    await rig.untilEvent('WAITING');
    expect(rig.board.view().problems).toEqual([]);
  },
);

test(
  'three leaves: Crashed says which port is at which, and a cable that is pulled mends it',
  { timeout },
  async () => {
    rig.neighbors = withThird(twoLeaves);
    await rig.start({
      boot: {
        register: (request) => {
          const seen = new Set(
            request.hardware?.nics.flatMap(({ neighbors }) => neighbors.map(({ hostname }) => hostname)),
          );
          if (seen.size !== 2) throw new ApiError(Code.FailedPrecondition, `expected two leaves, saw ${seen.size}`);
          return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
        },
      },
    });
    await rig.untilEvent('CRASHED: register: expected two leaves, saw 3; heard 3 leaves instead of 2');
    const [problem = ''] = rig.board.view().problems.filter((each) => each.startsWith('LLDP:'));
    for (const leaf of ['leaf1', 'leaf2', 'leaf3']) expect(problem).toContain(leaf);
    rig.neighbors = twoLeaves;
    await rig.untilEvent('WAITING');
    expect(rig.board.view().problems).toEqual([]);
  },
);

/** What lldpd tells when a third leaf is on the wire of the first port. */
function withThird(two: string): string {
  const parsed = JSON.parse(two);
  const [first] = parsed.lldp.interface;
  const third = JSON.parse(JSON.stringify(first).replaceAll('leaf1', 'leaf3').replaceAll('aa:79:c2', 'aa:79:c3'));
  parsed.lldp.interface.push(third);
  return JSON.stringify(parsed);
}

test(
  'a machine in the wrong rack says so with the words of the API, until it is mended there',
  { timeout },
  async () => {
    let isMended = false;
    await rig.start({
      boot: {
        register: ({ uuid, partition }) => {
          if (!isMended) throw new ApiError(Code.FailedPrecondition, 'leaf1 is in rack01, leaf3 in rack02');
          return { uuid, size: 'c1-large', partition };
        },
      },
    });
    await rig.untilEvent('CRASHED: register: leaf1 is in rack01, leaf3 in rack02', 2);
    isMended = true;
    await rig.untilEvent('WAITING');
  },
);

test('a BMC that never answers costs its deadline, and is registered as unknown', { timeout }, async () => {
  await rig.start({
    tree: { '/dev/ipmi0': '' },
    openIpmi: () => ({
      name: '/dev/ipmi0',
      send: (_command, _data, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
        ),
      close: () => undefined,
    }),
  });
  await rig.untilEvent('WAITING');
  expect(rig.board.view().problems.join()).toMatch(/BMC: .*no answer/);
  expect(rig.registered[0]?.bmc).toBeUndefined();
});

test('a BMC that answers only after the registration is registered while the machine waits', { timeout }, async () => {
  let answers = false;
  const fake = new FakeBmc();
  await rig.start({
    tree: { '/dev/ipmi0': '' },
    openIpmi: () => {
      if (!answers) throw new Error('/dev/ipmi0: Device or resource busy');
      return fake;
    },
  });
  await rig.until(() => rig.waiting === 1);
  expect(rig.registered.map(({ bmc }) => bmc)).toEqual([undefined]);
  answers = true;
  await rig.until(() => rig.registered.length === 2, 5_000);
  expect(rig.registered[1]?.bmc?.user).toBe('metal');
  await rig.until(() => rig.waiting === 1);
  expect(rig.steps.slice(-4)).toEqual([
    'PLANNED_REBOOT: the BMC, which did not answer before, does now: starting over, without a reboot',
    'PREPARING: the BMC, which did not answer before, does now',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
  expect(rig.board.view().problems.join()).not.toContain('busy');
});

test('where a BMC is required, one that never answers is fatal, and named', { timeout }, async () => {
  await rig.start({
    config: { agent: { bmc_required: true } },
    tree: { '/dev/ipmi0': '' },
    openIpmi: () => {
      throw new Error('/dev/ipmi0: No such device or address');
    },
  });
  await rig.until(() => rig.outcome !== undefined);
  expect(String(rig.outcome)).toContain('No such device or address');
  expect(rig.pulse.stalled()).toBeUndefined();
});

test('a lease that changes shows on the screen, and the API is reached from the new address', { timeout }, async () => {
  await rig.start();
  await rig.until(() => rig.waiting === 1);
  expect(rig.board.view().addresses).toEqual(['eth0 10.0.0.5']);
  rig.addresses = ['eth0 10.0.0.77'];
  await rig.stopApi();
  await rig.listen();
  await rig.until(() => rig.waiting === 1);
  expect(rig.board.view().addresses).toEqual(['eth0 10.0.0.77']);
});

test('planned reboots happen while waiting only, are announced, and can be called off', { timeout }, async () => {
  const withLabel = (labels: Record<string, string>) => () => ({ meta: { labels: { labels } } });
  rig.machine = withLabel({ 'ingot.dev/no-reboot': 'burn-in' });
  let bootServer = (): void => undefined;
  await rig.start({
    config: { agent: { auto_reboot_hours: 2 } },
    httpGet: () => {
      bootServer();
      return Promise.resolve({ status: 200, body: JSON.stringify(rig.config), dateMs: rig.clock.now() });
    },
  });
  await rig.untilEvent('WAITING');
  expect(rig.steps.at(-1)).toMatch(/^WAITING: waiting for allocation; planned reboot in [23] h$/);
  await rig.until(() => rig.said.includes('no planned reboot: the machine has the label ingot.dev/no-reboot'), 60_000);
  expect(rig.reboots).toBe(0);
  rig.machine = withLabel({});
  let isAway = true;
  bootServer = () => {
    if (isAway) throw new Error('connect ECONNREFUSED');
  };
  await rig.until(() => rig.said.includes('no planned reboot: the boot server does not answer'), 60_000);
  isAway = false;
  await rig.until(() => rig.reboots === 1, 60_000);
  expect(rig.steps.at(-1)).toBe(
    'PLANNED_REBOOT: after 2 h of waiting, as agent.autoRebootHours of the boot server says',
  );
  expect(rig.waiting).toBe(0);
});

test('a planned reboot is off when the policy is, by the time it would happen', { timeout }, async () => {
  await rig.start({ config: { agent: { auto_reboot_hours: 1 } } });
  await rig.until(() => rig.waiting === 1);
  rig.config = { ...rig.config, agent: { auto_reboot_hours: 0 } };
  await rig.until(
    () => rig.said.includes('no planned reboot: agent.autoRebootHours of the boot server is 0 now'),
    60_000,
  );
  await rig.until(() => rig.waiting === 1);
  expect(rig.reboots).toBe(0);
});

test('without the policy no machine restarts by itself', { timeout }, async () => {
  await rig.start();
  await rig.untilEvent('WAITING');
  const end = rig.clock.monotonic() + 4 * 3_600_000;
  await rig.until(() => rig.clock.monotonic() > end, 600_000);
  expect([rig.reboots, rig.steps.length]).toEqual([0, 3]);
});

test(
  'programs that hang for ever cost their deadlines, and the machine registers without them',
  { timeout },
  async () => {
    await rig.start({ run: () => new Promise<string>(() => undefined) });
    await rig.untilEvent('WAITING');
    expect(rig.registered[0]?.hardware?.disks).toHaveLength(4);
    expect(rig.clock.monotonic()).toBeLessThan(300_000);
  },
);
