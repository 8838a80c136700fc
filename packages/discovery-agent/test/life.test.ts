import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiError, Code } from '@ingot/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventType } from '../src/life/api.ts';
import { Rig } from './life-rig.ts';
import { uuid } from './machines.ts';
import { unexpected } from './provisioning.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const phases = (): string[] => [...new Set(rig.lines.map((line) => line.split(' ')[2] ?? ''))];

test('a machine registers with hardware, neighbours and serials, and waits', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.untilEvent('WAITING');
  expect(rig.events.slice(0, 3)).toEqual([
    'PREPARING: starting discovery agent 0.1.0',
    'REGISTERING: registering',
    'WAITING: waiting for allocation',
  ]);
  expect(phases()).toEqual(['config', 'standing', 'inventory', 'lldp', 'bmc', 'register', 'waiting']);
  expect(new Set(rig.tokens)).toEqual(new Set(['machine-token']));
  const [request] = rig.registered;
  expect(request).toMatchObject({ uuid, partition: 'lab', metalHammerVersion: '0.1.0' });
  expect(request?.hardware?.memory).toBe(384n * 2n ** 30n);
  expect(request?.hardware?.disks).toHaveLength(4);
  expect(request?.hardware?.gpus).toHaveLength(2);
  expect(request?.tags).toContain(
    'ingot.inventory.disk/nvme0n1=SAMSUNG MZQL23T8HCLS-00A07;S64HNE0T10000;GDC5602Q;3840755982336',
  );
  expect(request?.hardware?.nics[0]).toMatchObject({
    name: 'eth0',
    mac: '0c:42:a1:00:00:10',
    neighbors: [{ hostname: 'leaf1', identifier: 'Eth1/1', name: 'Ethernet0', mac: 'aa:79:c2:e3:53:33' }],
  });
});

test(
  'leaves hear of the machine every 5 s while it is discovered, every 30 s while it waits',
  { timeout: 30_000 },
  async () => {
    await rig.start();
    await rig.until(() => rig.waiting === 1);
    expect(rig.programs.filter((program) => program.includes('tx-interval'))).toEqual([
      'lldpcli configure lldp tx-interval 5',
      'lldpcli configure lldp tx-interval 30',
    ]);
  },
);

test('leaves hear of a board that keeps its UUID in the serial number by that UUID', { timeout: 30_000 }, async () => {
  await rig.start({
    tree: {
      '/sys/class/dmi/id/product_uuid': '00000000-0000-0000-0000-000000000000\n',
      '/sys/class/dmi/id/product_serial': `${uuid.toUpperCase()}\n`,
    },
  });
  await rig.until(() => rig.waiting === 1);
  expect(rig.registered[0]?.uuid).toBe(uuid);
  expect(rig.programs).toContain(`lldpcli configure system hostname ${uuid}`);
});

test('while waiting it says each minute that it is alive', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.untilEvent('WAITING');
  await rig.clock.advance(61_000);
  await rig.until(() => rig.events.includes('ALIVE: waiting: for an allocation'));
});

test(
  'a lost stream is opened again, not sooner than after 7 s and never twice at once',
  { timeout: 30_000 },
  async () => {
    let open = 0;
    let most = 0;
    const openedAt: number[] = [];
    await rig.start({
      boot: {
        wait: async function* (_request, { signal }) {
          open += 1;
          most = Math.max(most, open);
          openedAt.push(rig.clock.monotonic());
          try {
            if (openedAt.length < 3) throw new ApiError(Code.Unavailable, 'going down');
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            yield* [];
          } finally {
            open -= 1;
          }
        },
      },
    });
    await rig.until(() => openedAt.length === 3);
    expect(most).toBe(1);
    const [first = 0, second = 0] = openedAt;
    expect(second - first).toBeGreaterThanOrEqual(7_000);
    expect(rig.lines.join('\n')).toContain('waiting lost the API: going down; again in');
  },
);

test(
  'a refused registration is reported as Crashed with its reason, and tried again',
  { timeout: 30_000 },
  async () => {
    let tries = 0;
    await rig.start({
      boot: {
        register: (request) => {
          tries += 1;
          if (tries === 1) throw new ApiError(Code.FailedPrecondition, 'expected leaf1 and leaf2, saw leaf1');
          return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
        },
      },
    });
    await rig.untilEvent('WAITING');
    expect(rig.steps).toEqual([
      'PREPARING: starting discovery agent 0.1.0',
      'REGISTERING: registering',
      'CRASHED: register: expected leaf1 and leaf2, saw leaf1',
      'PREPARING: registering again',
      'REGISTERING: registering again',
      'WAITING: waiting for allocation',
    ]);
    expect(rig.lines.join('\n')).toContain('FailedPrecondition: expected leaf1 and leaf2, saw leaf1; again in');
  },
);

test('an API that is away delays the registration without a Crashed event', { timeout: 30_000 }, async () => {
  let tries = 0;
  await rig.start({
    boot: {
      register: (request) => {
        tries += 1;
        if (tries < 3) throw new ApiError(Code.Unavailable, 'away');
        return { uuid: request.uuid, size: 'c1-large', partition: request.partition };
      },
    },
  });
  await rig.untilEvent('WAITING');
  expect(rig.events.some((event) => event.startsWith('CRASHED'))).toBe(false);
});

test('the run after a crash reports it first, then starts over', { timeout: 30_000 }, async () => {
  writeFileSync(join(rig.directory, 'last-exit'), 'code=137\nphase=inventory\nlived=4\n');
  await rig.start();
  await rig.until(() => rig.events.length >= 2);
  expect(rig.events.slice(0, 2)).toEqual([
    'CRASHED: inventory: killed by SIGKILL',
    'PREPARING: starting discovery agent 0.1.0',
  ]);
  expect(rig.state.lastExit()).toBeUndefined();
});

test('an open debug shell is shown, and is wrong where the config does not want it', { timeout: 30_000 }, async () => {
  mkdirSync(join(rig.directory, 'ssh'));
  writeFileSync(join(rig.directory, 'ssh/host_key.pub'), 'AAAA\n');
  await rig.start();
  await rig.until(() => rig.events.length > 0);
  expect(rig.board.view().ssh).toBe('open to the debug key of this boot');
  expect(rig.board.view().problems.join()).toContain('a debug key that the config does not want');
});

test('the config is kept for the next run, readable for root only', { timeout: 30_000 }, async () => {
  await rig.start();
  await rig.until(() => rig.events.length > 0);
  expect(rig.state.config()).toContain('machine-token');
  expect(rig.lines.join('\n')).not.toContain('machine-token');
  expect(readFileSync(join(rig.directory, 'agent.log'), 'utf8')).not.toContain('machine-token');
});

test.each([
  ['Crashed', EventType.CRASHED],
  ['Planned Reboot', EventType.PLANNED_REBOOT],
])('a run that died right after %s begins anew without another crash', { timeout: 30_000 }, async (_name, last) => {
  writeFileSync(join(rig.directory, 'last-exit'), 'code=137\nphase=register\nlived=4\n');
  rig.state.keepLastEvent(last);
  await rig.start();
  await rig.untilEvent('WAITING');
  expect(rig.steps[0]).toBe('PREPARING: starting discovery agent 0.1.0 after register: killed by SIGKILL');
});

test('the table of legal events finds what does not fit', () => {
  expect(unexpected(['PREPARING: x', 'ALIVE: x', 'REGISTERING: x', 'CRASHED: x', 'ALIVE: x', 'WAITING: x'])).toEqual([
    'ALIVE: x after CRASHED',
    'WAITING: x after CRASHED',
  ]);
});
