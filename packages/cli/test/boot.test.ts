import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { traceLine } from '../src/boot/trace-text.ts';
import { runCli } from '../src/index.ts';

const START = Date.parse('2026-11-21T06:00:00Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
const MAC = '52:54:00:00:01:01';
const UUID = '4b37128e-6e72-4a8d-87da-8ad4d775582c';

const machine = {
  uuid: UUID,
  macs: [MAC],
  address: '10.0.1.100',
  stage: 'offered',
  since: at(0),
  stuck: true,
  usualSeconds: 90,
  boots: 2,
  problem: { time: at(5), event: 'tftp.failed', reason: 'no-answer', message: 'TFTP snponly.efi: no answer' },
  lastSeen: at(60),
};
const well = {
  ...machine,
  uuid: null,
  macs: ['52:54:00:00:00:02'],
  stage: 'agent',
  stuck: false,
  usualSeconds: null,
  problem: null,
};
const entry = {
  seq: 7,
  time: at(0),
  mac: MAC,
  level: 'info',
  event: 'dhcp.offer',
  message: 'DHCP offer',
  fields: { address: '10.0.1.100', boot: 'chain-tftp', uuid: UUID },
  repeats: 0,
  repeatedAt: at(0),
};
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/v1/machines': { machines: [well, machine] },
  [`/v1/machines/${encodeURIComponent(MAC)}/timeline?after=0`]: {
    machine,
    first: at(0),
    entries: [
      entry,
      {
        ...entry,
        seq: 9,
        time: at(5.25),
        level: 'warn',
        event: 'tftp.failed',
        message: 'TFTP snponly.efi: no\u001b[31m answer',
        fields: { cause: 'no-answer', file: 'snponly.efi', words: 'a "b' },
        repeats: 3,
        repeatedAt: at(60),
      },
    ],
  },
  [`/v1/machines/${encodeURIComponent(MAC)}/timeline?after=9`]: {
    machine,
    first: at(0),
    entries: [{ ...entry, seq: 12, time: at(61), event: 'http.script', message: 'gave the boot script', fields: {} }],
  },
  [`/v1/machines/${encodeURIComponent(MAC)}/debug-key`]: {
    mac: MAC,
    address: '10.0.1.100',
    keyFile: '/data/a key%.pem',
    hostsFile: '/data/hosts',
    hostKnown: true,
    expires: at(86_400),
  },
  [`/v1/machines/${UUID}/debug-key`]: {
    mac: MAC,
    address: null,
    keyFile: '/data/key.pem',
    hostsFile: '/data/hosts',
    hostKnown: false,
    expires: at(86_400),
  },
  '/v1/leases': {
    leases: [
      { address: '10.0.1.100', mac: MAC, uuid: UUID, state: 'bound', expires: at(3_720), subnet: '10.0.1.0/24' },
      { address: '10.0.1.20', mac: MAC, uuid: null, state: 'expired', expires: at(-1), subnet: null },
    ],
  },
};

let folder: string;
let server: Server;
beforeEach(async () => {
  process.env['TZ'] = 'UTC';
  folder = mkdtempSync(join(tmpdir(), 'ingot-cli-boot-'));
  server = createServer((request, response) => {
    const answer = ANSWERS[request.url ?? ''];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? { code: 'unknown_machine', message: 'nothing was heard of it' }));
  });
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 'admin.sock'), resolve);
  });
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function ingot(...argv: string[]): Promise<{ status: number | undefined; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const status = await runCli(argv, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    env: { INGOT_BOOT_SERVER_ADMIN_SOCKET: join(folder, 'admin.sock'), PATH: folder },
    home: '/nowhere',
    labConfigFile: '/nowhere',
    now: () => START + 120_000,
  });
  return { status, stdout, stderr };
}

describe('ingot boot machines', () => {
  it('lists the stuck ones first', async () => {
    expect((await ingot('boot', 'machines')).stdout).toBe(
      [
        'MAC                 UUID                                   ADDRESS      STAGE     FOR   STUCK   PROBLEM',
        `${MAC}   ${UUID}   10.0.1.100   offered   2m    yes     no-answer`,
        '52:54:00:00:00:02                                          10.0.1.100   agent     2m',
        '',
      ].join('\n'),
    );
  });

  it('has all of it as JSON', async () => {
    const { stdout } = await ingot('boot', 'machines', '-o', 'json');
    expect(JSON.parse(stdout)).toEqual([machine, well]);
  });
});

describe('ingot boot trace', () => {
  it('says an error once, where its words stand in the message', () => {
    const failed = { ...entry, level: 'warn' as const, event: 'http.unavailable', message: 'the kernel: no such file' };
    const line = (err: string): string =>
      traceLine({ ...failed, fields: { kind: 'kernel', err } }, { firstMs: START, showMac: false });
    expect(line('no such file')).toMatch(/! http\.unavailable {3}the kernel: no such file: kind=kernel\n$/);
    expect(line('another')).toMatch(/kind=kernel err=another\n$/);
  });

  it('replays a timeline with times since the first entry, and lets no machine write on the terminal', async () => {
    expect((await ingot('boot', 'trace', MAC)).stdout).toBe(
      [
        `machine ${UUID}, ${MAC}`,
        'stage   offered, for 2m: stuck, usually < 1m 30s',
        'problem no-answer: TFTP snponly.efi: no answer',
        '',
        '06:00:00.000     +0.000   dhcp.offer         address=10.0.1.100 boot=chain-tftp',
        '06:00:05.250     +5.250 ! tftp.failed        TFTP snponly.efi: no\u{FFFD}[31m answer: cause=no-answer file=snponly.efi words="a \\"b" (3 more like it, until 06:01:00.000)',
        '',
      ].join('\n'),
    );
  });

  it('goes on with what is new until it is ended, as text and as a line of JSON each', async () => {
    // The third look finds the machine forgotten, which ends both.
    const [text, json] = await Promise.all([
      ingot('boot', 'trace', MAC, '--follow'),
      ingot('boot', 'trace', MAC, '--follow', '-o', 'json'),
    ]);
    const lines = text.stdout.split('\n');
    expect(lines.filter((line) => line.startsWith('machine '))).toHaveLength(1);
    expect(lines.slice(4)).toEqual([
      expect.stringContaining('dhcp.offer'),
      expect.stringContaining('tftp.failed'),
      expect.stringMatching(/^06:01:01\.000 {4}\+61\.000 {3}http\.script/),
      '',
    ]);
    const seqs = json.stdout.trimEnd().split('\n');
    expect(seqs.map((line) => Number(JSON.parse(line).seq))).toEqual([7, 9, 12]);
    for (const { status, stderr } of [text, json])
      expect([status, stderr]).toEqual([1, 'ingot: nothing was heard of it\n']);
  });

  it('says what the server says of a machine that it does not know', async () => {
    expect(await ingot('boot', 'trace', '52:54:00:00:0f:0f')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'ingot: nothing was heard of it\n',
    });
  });
});

describe('ingot boot leases', () => {
  it('lists them in the order of their addresses', async () => {
    expect((await ingot('boot', 'leases')).stdout).toBe(
      [
        'ADDRESS      MAC                 STATE     EXPIRES IN   SUBNET',
        `10.0.1.20    ${MAC}   expired`,
        `10.0.1.100   ${MAC}   bound     1h           10.0.1.0/24`,
        '',
      ].join('\n'),
    );
  });
});

describe('without a boot server', () => {
  it('says where it looked and what to do', async () => {
    const missing = await ingot('boot', 'leases', '--socket', join(folder, 'none.sock'));
    expect(missing.status).toBe(5);
    expect(missing.stderr).toContain(`no boot server runs behind ${folder}/none.sock: start it, or name`);
  });
});

describe('ingot boot debian', () => {
  it('asks where the installer is rather than for one on the internet', async () => {
    const { status, stderr } = await ingot('boot', 'debian');
    expect(status).toBe(2);
    expect(stderr).toContain('--kernel and --initrd of its netboot files, or --mirror <url>');
  });
});

describe('ingot boot ssh', () => {
  /** In place of ssh; the real one logs in in test/interop/debug-shell.test.ts. */
  const standIn = (status: number): void =>
    writeFileSync(
      join(folder, 'ssh'),
      `#!/bin/sh\nfor word in "$@"; do echo "$word"; done >${join(folder, 'words')}\nexit ${status}\n`,
      { mode: 0o755 },
    );
  const words = (): string[] => readFileSync(join(folder, 'words'), 'utf8').trimEnd().split('\n');

  it('uses the key and the host key of the boot, nothing of the caller, and ends as ssh does', async () => {
    standIn(7);
    const { status, stderr } = await ingot('boot', 'ssh', MAC, 'cat', '-A', '/proc/cmdline');
    expect(stderr).toBe('');
    expect(status).toBe(7);
    expect(words().slice(-7)).toEqual(['-l', 'root', '--', '10.0.1.100', 'cat', '-A', '/proc/cmdline']);
    expect(words()).toEqual(
      expect.arrayContaining([
        'IdentityFile="/data/a key%%.pem"',
        'UserKnownHostsFile="/data/hosts"',
        `HostKeyAlias=${MAC}`,
        'StrictHostKeyChecking=yes',
        'IdentitiesOnly=yes',
        'IdentityAgent=none',
      ]),
    );
    expect(words().slice(0, 2)).toEqual(['-F', 'none']);
  });

  it('asks for a comparison where the agent has not told its host key, and for the address where nobody knows it', async () => {
    standIn(0);
    expect(await ingot('boot', 'ssh', UUID)).toMatchObject({ status: 3, stderr: expect.stringContaining('--address') });
    const { status, stderr } = await ingot('boot', 'ssh', '--address', '2001:db8::5', UUID);
    expect(status).toBe(0);
    expect(stderr).toContain('compare what ssh shows with the line "ssh" on the console');
    expect(words()).toContain('StrictHostKeyChecking=ask');
    expect(words().at(-1)).toBe('2001:db8::5');
  });

  it('says what is missing', async () => {
    expect(await ingot('boot', 'ssh', MAC)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('install openssh-client'),
    });
    expect(await ingot('boot', 'ssh', '52:54:00:00:00:77')).toMatchObject({ status: 1 });
  });
});
