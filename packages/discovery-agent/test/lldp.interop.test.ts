import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../src/command.ts';
import { findLeaves } from '../src/lldp/leaves.ts';
import type { LeafFindings } from '../src/lldp/leaf-rule.ts';
import { parseNeighbors } from '../src/lldp/neighbors.ts';
import type { Neighbor } from '../src/lldp/neighbors.ts';

/**
 * A machine with lldpd and two cables. At the far end of m2 is a lldpd that calls itself leaf2, at that of m1 whatever a
 * test sends. Both daemons are Debian's.
 */
const machine = `ingot-${process.pid}-lldp-m`;
const far = `ingot-${process.pid}-lldp-f`;
const sender = fileURLToPath(new URL('send-frames.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ingot-lldp-'));
const daemons: { stop(signal: NodeJS.Signals): Promise<void> }[] = [];

const ip = (...words: string[]): unknown => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });

/** A lldpd with a socket of its own, in the foreground. */
function startLldpd(namespace: string, name: string, config: readonly string[]): (typeof daemons)[number] {
  const path = join(folder, `${name}.conf`);
  writeFileSync(path, config.map((line) => `${line}\n`).join(''));
  const words = ['netns', 'exec', namespace, 'lldpd', '-d', '-u', join(folder, `${name}.sock`), '-O', path];
  const child = spawn('ip', words, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async stop(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

beforeAll(async () => {
  // lldpcli gives up root before it connects.
  chmodSync(folder, 0o755);
  ip('netns', 'add', machine);
  ip('netns', 'add', far);
  for (const number of [1, 2]) {
    ip('link', 'add', `m${number}`, 'netns', machine, 'type', 'veth', 'peer', 'name', `f${number}`, 'netns', far);
    ip('-n', machine, 'link', 'set', `m${number}`, 'up');
    ip('-n', far, 'link', 'set', `f${number}`, 'up');
  }
  ip('netns', 'exec', far, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  daemons.push(
    startLldpd(machine, 'machine', ['configure system hostname 0a0b0c0d-0000-4000-8000-000000000001']),
    startLldpd(far, 'leaf2', [
      'configure system hostname leaf2',
      'configure system interface pattern f2',
      'configure lldp tx-interval 1',
      'configure ports f2 lldp portidsubtype local Eth1/7',
    ]),
  );
  // From now on the machine's daemon listens on its ports.
  expect(await heardOn('m2', (list) => list.length > 0)).toHaveLength(1);
});

afterAll(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop('SIGTERM')));
  for (const name of [machine, far]) spawnSync('ip', ['netns', 'del', name]);
  rmSync(folder, { recursive: true, force: true });
});

const leafMac = '020000000001';

/** An information element of LLDP: type, length and value (IEEE 802.1AB-2016 8.4). */
function tlv(type: number, value: string): string {
  return ((type << 9) | (value.length / 2)).toString(16).padStart(4, '0') + value;
}
const text = (value: string): string => Buffer.from(value).toString('hex');

interface Frame {
  readonly chassis: string;
  readonly port: string;
  readonly ttlSeconds: number;
  readonly name?: string;
}

/** The frame of a switch that bridges; ids with their subtype in the first byte. */
function frame({ chassis, port, ttlSeconds, name }: Frame): string {
  const tlvs = [tlv(1, chassis), tlv(2, port), tlv(3, ttlSeconds.toString(16).padStart(4, '0'))];
  if (name !== undefined) tlvs.push(tlv(5, text(name)), tlv(7, '00040004'));
  return ['0180c200000e', leafMac, '88cc', ...tlvs, '0000'].join('');
}

function send(...frames: readonly string[]): void {
  execFileSync('ip', ['netns', 'exec', far, process.execPath, sender, 'f1', ...frames], { stdio: 'pipe' });
}

const run: typeof runCommand = (file, args, options) =>
  runCommand(file, ['-u', join(folder, 'machine.sock'), ...args], options);

function search(timeoutMs: number): Promise<LeafFindings> {
  const ports = ['m1', 'm2'].map((name) => ({ name, carrier: true, driver: '' }));
  const { signal } = new AbortController();
  return findLeaves({ run, clock: systemClock, signal, ownUuid: 'none', timeoutMs, pollMs: 100, ports: () => ports });
}

/** What a port hears, as soon as `enough` holds; what it heard last after 30 s. */
async function heardOn(
  port: string,
  enough: (heard: readonly Neighbor[]) => boolean,
  format = 'json0',
): Promise<readonly Neighbor[]> {
  for (let tries = 300; ; tries--) {
    const output = await run('lldpcli', ['-f', format, 'show', 'neighbors', 'details'], { timeoutMs: 5_000 }).catch(
      () => '',
    );
    const parsed = parseNeighbors(output);
    const heard = parsed.ok ? parsed.value.filter(({ nic }) => nic === port) : [];
    if (enough(heard) || tries === 0) return heard;
    await systemClock.sleep(100);
  }
}

/** Subtype, bytes, and what is shown of them (IEEE 802.1AB-2016 tables 8-2 and 8-3). */
const chassisIds = [
  [`01${text('shelf 7')}`, 'unhandled', 'shelf 7'],
  [`02${text('alias')}`, 'ifalias', 'alias'],
  [`03${text('backplane')}`, 'unhandled', 'backplane'],
  [`04${leafMac}`, 'mac', '02:00:00:00:00:01'],
  ['05010a000001', 'ip', '10.0.0.1'],
  ['050220010db8000000000000000000000001', 'ip', '2001:db8::1'],
  [`06${text('swp1')}`, 'ifname', 'swp1'],
  [`07${text('leaf-7')}`, 'local', 'leaf-7'],
] as const;
const portIds = [
  [`01${text('alias')}`, 'ifalias', 'alias'],
  [`02${text('line 3')}`, 'unhandled', 'line 3'],
  [`03${leafMac}`, 'mac', '02:00:00:00:00:01'],
  ['04010a000002', 'ip', '10.0.0.2'],
  [`05${text('Ethernet0')}`, 'ifname', 'Ethernet0'],
  ['060001636972', 'unhandled', '0001636972'],
  [`07${text('Eth1/1')}`, 'local', 'Eth1/1'],
] as const;

const everySubtype = (ttlSeconds: number): Frame[] =>
  [
    ...chassisIds.map(([chassis], index) => ({ chassis, port: `07${text(`c${index}`)}`, ttlSeconds })),
    ...portIds.map(([port], index) => ({ chassis: `07${text(`p${index}`)}`, port, ttlSeconds })),
  ].map((one, index) => ({ ...one, name: `sw${index}` }));

test('every subtype of chassis id and port id is understood, in both shapes of JSON', async () => {
  const all = everySubtype(120);
  for (const format of ['json', 'json0']) {
    send(...all.map(frame));
    const heard = await heardOn('m1', (list) => list.length === all.length, format);
    const of = (index: number): Neighbor | undefined => heard.find(({ sysName }) => sysName === `sw${index}`);
    for (const [index, [, chassisIdType, chassisId]] of chassisIds.entries())
      expect(of(index)).toMatchObject({ chassisIdType, chassisId, portId: `c${index}`, ttlSeconds: 120 });
    for (const [index, [, portIdType, portId]] of portIds.entries())
      expect(of(chassisIds.length + index)).toMatchObject({ portIdType, portId, chassisId: `p${index}` });
    expect(heard[0]?.capabilities).toEqual([{ type: 'Bridge', enabled: true }]);
  }
});

test('what is not sent again is forgotten when its time is over', async () => {
  send(...everySubtype(1).map(frame));
  expect(await heardOn('m1', (list) => list.length === 0)).toEqual([]);
});

test('two leaves are found, and a leaf that says goodbye is gone at once', async () => {
  const leaf1 = { chassis: `04${leafMac}`, port: `07${text('Eth1/1')}`, name: 'leaf1' };
  send(frame({ ...leaf1, ttlSeconds: 120 }));
  const found = await search(30_000);
  expect(found).toMatchObject({ complete: true, diagnosis: '' });
  expect(found.ports.map((port) => port.text)).toEqual(['m1 hears leaf1 port Eth1/1', 'm2 hears leaf2 port Eth1/7']);

  send(frame({ ...leaf1, ttlSeconds: 0 }));
  await heardOn('m1', (list) => list.length === 0);
  await daemons[1]?.stop('SIGTERM');
  await heardOn('m2', (list) => list.length === 0);
  const gone = await search(0);
  expect(gone.diagnosis).toBe('heard 0 of 2 leaves: m1 has a link but hears no LLDP, m2 has a link but hears no LLDP');
});
