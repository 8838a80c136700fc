import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { adminClient } from '../../src/admin/client.ts';
import { agentSchema } from '../../src/config/agent.ts';
import { openDebugKeys, type DebugKeys } from '../../src/debug-key/debug-keys.ts';
import { encodeSshPublicKey, isSshPublicKey, makeSshKeyPair } from '../../src/debug-key/ssh-key.ts';
import { testConfig } from '../support/config.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { configPath, getFrom, machines, scriptPath } from '../http/machines.ts';

const DAY_MS = 86_400_000;

/** `ssh-keygen -y` of a key whose x begins with a zero. */
const GOLDEN = {
  x: '00a767f067cfc29f4a30da7cd61761791c0cf699a08b2ef82ed4e3185a588504',
  y: '0f883e73c1c23189cd9be8ed478d4dd7b6d4b5c567bf1f5c01db53f07faecef1',
  publicKey:
    'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBACnZ/Bnz8KfSjDafNYXYXkcDPaZoIsu+C7U4xhaWIUED4g+c8HCMYnNm+jtR41N17bUtcVnvx9cAdtT8H+uzvE=',
};
/** Made by `ssh-keygen -t ecdsa -b 256`. */
const FOREIGN =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDa+I8XV8jJ5T/IfcoiYphuTKSKIrGcQSlNCihygZRUoLK+VMA3au5mFtSvHxjeJwi2BEX7/LGc1fFgSCskloUE=';

describe('an SSH public key', () => {
  it('is written as ssh-keygen writes it', () => {
    const point = { x: Buffer.from(GOLDEN.x, 'hex'), y: Buffer.from(GOLDEN.y, 'hex') };
    expect(encodeSshPublicKey(point)).toBe(GOLDEN.publicKey);
  });

  it('belongs to the private key beside it', () => {
    const { privateKey, publicKey } = makeSshKeyPair();
    const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
    expect(encodeSshPublicKey({ x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') })).toBe(publicKey);
    expect(makeSshKeyPair().publicKey).not.toBe(publicKey);
  });

  it.each([
    ['one of ssh-keygen', FOREIGN, true],
    ['nothing', '', false],
    ['a shorter one', FOREIGN.slice(0, -4), false],
    ['one of another type', FOREIGN.replace('AAAAE2VjZHNh', 'AAAAE2VjZHNi'), false],
    ['two lines', `${FOREIGN}\n* ssh-rsa AAAA`, false],
    ['one with blanks, which base64 allows', `${FOREIGN.slice(0, 8)} ${FOREIGN.slice(8)}`, false],
  ])('is told from what is none: %s', (_name, text, expected) => {
    expect(isSshPublicKey(text)).toBe(expected);
  });
});

describe('debug keys', () => {
  const open = (dataDir: string, clock = new MockClock()): { keys: DebugKeys; clock: MockClock; log: MemoryLogger } => {
    const log = new MemoryLogger();
    return { keys: openDebugKeys({ dataDir, clock, log }), clock, log };
  };

  it('are kept for their owner only, and never logged', () => {
    const dataDir = temporaryFolder();
    const { keys, log } = open(dataDir);
    const publicKey = keys.issue(MAC_1);
    const found = keys.find(MAC_1);
    expect(found?.keyFile).toBe(join(dataDir, 'debug-keys', '52-54-00-00-01-01.pem'));
    expect(statSync(join(dataDir, 'debug-keys')).mode & 0o777).toBe(0o700);
    expect(statSync(found?.keyFile ?? '').mode & 0o777).toBe(0o600);
    const pem = readFileSync(found?.keyFile ?? '', 'utf8');
    const { x = '', y = '' } = createPublicKey(pem).export({ format: 'jwk' });
    expect(encodeSshPublicKey({ x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') })).toBe(publicKey);
    expect(JSON.stringify(log.records)).not.toContain('PRIVATE KEY');
    expect(keys.find(MAC_2)).toBeUndefined();
  });

  it('are of one boot: the next one has another, and its host key is not known', () => {
    const { keys } = open(temporaryFolder());
    const first = keys.issue(MAC_1);
    expect(keys.find(MAC_1)?.isHostKnown).toBe(false);
    expect(keys.pinHost(MAC_1, FOREIGN)).toBe(true);
    const found = keys.find(MAC_1);
    expect(found?.isHostKnown).toBe(true);
    expect(readFileSync(found?.hostsFile ?? '', 'utf8')).toBe(`${MAC_1} ecdsa-sha2-nistp256 ${FOREIGN}\n`);
    expect(keys.issue(MAC_1)).not.toBe(first);
    expect(keys.find(MAC_1)?.isHostKnown).toBe(false);
  });

  it('take no host key that is none, nor one of a boot without a key', () => {
    const { keys } = open(temporaryFolder());
    keys.issue(MAC_1);
    expect(keys.pinHost(MAC_1, `${FOREIGN}\n* ssh-rsa AAAA`)).toBe(false);
    expect(keys.pinHost(MAC_2, FOREIGN)).toBe(false);
    expect(keys.find(MAC_1)?.isHostKnown).toBe(false);
  });

  it('are gone after a day, each at its time', async () => {
    const dataDir = temporaryFolder();
    const { keys, clock } = open(dataDir);
    keys.issue(MAC_1);
    keys.pinHost(MAC_1, FOREIGN);
    await clock.advance(3_600_000);
    keys.issue(MAC_2);
    await clock.advance(DAY_MS - 3_600_000 - 1);
    expect(keys.find(MAC_1)?.expiresAt).toBe(clock.now() + 1);
    await clock.advance(1);
    expect(keys.find(MAC_1)).toBeUndefined();
    expect(readdirSync(join(dataDir, 'debug-keys'))).toEqual(['52-54-00-00-01-02.pem']);
    await clock.advance(3_600_000);
    expect(readdirSync(join(dataDir, 'debug-keys'))).toEqual([]);
  });

  it('outlive a restart of the server, but not their day', async () => {
    const dataDir = temporaryFolder();
    const before = open(dataDir);
    before.keys.issue(MAC_1);
    await before.clock.advance(3_600_000);
    before.keys.issue(MAC_2);
    const issuedAt = before.keys.find(MAC_2)?.issuedAt;
    before.keys.stop();
    const clock = new MockClock();
    await clock.advance(DAY_MS + 1_800_000);
    const { keys } = open(dataDir, clock);
    expect(keys.find(MAC_1)).toBeUndefined();
    expect(keys.find(MAC_2)?.issuedAt).toBe(issuedAt);
    expect(readdirSync(join(dataDir, 'debug-keys'))).toEqual(['52-54-00-00-01-02.pem']);
  });

  it('are at most 4,096: the oldest goes', () => {
    const dataDir = temporaryFolder();
    const folder = join(dataDir, 'debug-keys');
    mkdirSync(folder);
    const clock = new MockClock();
    for (let index = 0; index < 4_096; index += 1) {
      const path = join(folder, `02-00-00-00-${hex(index >> 8)}-${hex(index & 255)}.pem`);
      writeFileSync(path, '');
      const seconds = clock.now() / 1000 - 4_096 + index;
      utimesSync(path, seconds, seconds);
    }
    const { keys } = open(dataDir, clock);
    keys.issue(MAC_1);
    expect(readdirSync(folder)).toHaveLength(4_096);
    expect(keys.find('02:00:00:00:00:00')).toBeUndefined();
    expect(keys.find('02:00:00:00:00:01')).toBeDefined();
    expect(keys.find(MAC_1)).toBeDefined();
  });

  it('hold no boot up when they cannot be kept', () => {
    const dataDir = temporaryFolder();
    writeFileSync(join(dataDir, 'debug-keys'), 'no folder');
    const { keys, log } = open(dataDir);
    expect(keys.issue(MAC_1)).toBeUndefined();
    expect(log.events('debug.key-failed')).toHaveLength(1);
  });
});

describe('a boot with agent.sshDebug', () => {
  const sshDebug = (on: boolean): ReturnType<typeof machines> =>
    machines({}, [], undefined, agentSchema.parse({ sshDebug: on }));

  it('has the public key in its command line, and the private one behind the admin socket', async () => {
    const { lab, boot } = await sshDebug(true);
    const address = await boot(MAC_1);
    const script = (await getFrom(lab, address, scriptPath(MAC_1))).body;
    const publicKey = / INGOT_DEBUG_KEY=(\S+)/.exec(script)?.[1] ?? '';
    expect(isSshPublicKey(publicKey)).toBe(true);
    const admin = adminClient(join(lab.dataDir, 'admin.sock'));
    const byUuid = await admin.debugKey(UUID);
    expect(byUuid).toMatchObject({ mac: MAC_1, address, hostKnown: false });
    expect(await admin.debugKey(MAC_1)).toEqual(byUuid);
    expect(readFileSync(byUuid.keyFile, 'utf8')).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
    await expect(admin.debugKey(MAC_2)).rejects.toThrow('set agent.sshDebug');
  });

  it('tells its host key once, with the report that the agent is up', async () => {
    const { lab, boot } = await sshDebug(true);
    const address = await boot(MAC_1);
    const script = (await getFrom(lab, address, scriptPath(MAC_1))).body;
    const config = JSON.parse((await getFrom(lab, address, configPath(script))).body);
    const report = new URL(String(config.boot_report_url));
    report.searchParams.set('host_key', FOREIGN);
    expect((await getFrom(lab, address, report.pathname + report.search)).status).toBe(200);
    const admin = adminClient(join(lab.dataDir, 'admin.sock'));
    const { hostKnown, hostsFile } = await admin.debugKey(MAC_1);
    expect(hostKnown).toBe(true);
    expect(readFileSync(hostsFile, 'utf8')).toContain(FOREIGN);
    // What is overheard counts no second time.
    const other = makeSshKeyPair().publicKey;
    report.searchParams.set('host_key', other);
    expect((await getFrom(lab, address, report.pathname + report.search)).status).toBe(403);
    expect(readFileSync(hostsFile, 'utf8')).not.toContain(other);
  });

  it('goes on when the host key is none', async () => {
    const { lab, boot } = await sshDebug(true);
    const address = await boot(MAC_1);
    const script = (await getFrom(lab, address, scriptPath(MAC_1))).body;
    const config = JSON.parse((await getFrom(lab, address, configPath(script))).body);
    const report = new URL(String(config.boot_report_url));
    report.searchParams.set('host_key', 'ssh-rsa AAAA');
    expect((await getFrom(lab, address, report.pathname + report.search)).status).toBe(200);
    expect(lab.log.events('debug.host-key-refused')).toHaveLength(1);
  });

  it('is the exception: without, there is no key in the command line, and none on disk', async () => {
    const { lab, boot } = await sshDebug(false);
    const address = await boot(MAC_1);
    const script = (await getFrom(lab, address, scriptPath(MAC_1))).body;
    expect(script).toContain('PIXIE_API_URL=');
    expect(script).not.toContain('INGOT_DEBUG_KEY');
    expect(existsSync(join(lab.dataDir, 'debug-keys'))).toBe(false);
  });

  it('leaves no key behind when it is only simulated', async () => {
    const agent = agentSchema.parse({ sshDebug: true });
    const lab = await startLab({ config: (dir) => testConfig(dir, { agent }) });
    const { steps } = await adminClient(join(lab.dataDir, 'admin.sock')).simulate({
      mac: MAC_1,
      uuid: UUID,
      arch: 0,
      giaddr: '10.0.1.1',
      phase: 'all',
    });
    expect(steps.find(({ text }) => text !== '')?.text).toContain(' INGOT_DEBUG_KEY=');
    expect(existsSync(join(lab.dataDir, 'debug-keys'))).toBe(false);
  });
});

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
