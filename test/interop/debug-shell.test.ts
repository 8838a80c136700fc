import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { systemClock } from '@ingot/net';
import { openDebugKeys, type DebugKey, type DebugKeys } from '../../packages/boot-server/src/debug-key/debug-keys.ts';
import { createImageSandbox } from '../support/image-sandbox.ts';
import { CLIENT_ADDRESS, createNamespacePair, type NamespacePair } from '../support/namespace-pair.ts';

// SSH into the discovery image: its own script with Debian's dropbear, the boot server's keys, `ingot boot ssh`.

const INGOT = fileURLToPath(new URL('../../bin/ingot', import.meta.url));
const MAC = '52:54:00:00:01:01';

let pair: NamespacePair;
let keys: DebugKeys;
let admin: Server;
beforeEach(async () => {
  pair = await createNamespacePair();
  keys = openDebugKeys({ dataDir: pair.folder, clock: systemClock, log: new MemoryLogger() });
  admin = createServer((_request, response) => {
    const key = keys.find(MAC);
    response.end(
      JSON.stringify({
        ...key,
        address: CLIENT_ADDRESS,
        hostKnown: key?.isHostKnown,
        expires: new Date(key?.expiresAt ?? 0).toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve) => {
    admin.listen(join(pair.folder, 'admin.sock'), resolve);
  });
});
afterEach(async () => {
  keys.stop();
  admin.close();
  await pair[Symbol.asyncDispose]();
});

const soon = { timeout: 20_000, interval: 100 };

interface Ended {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

const fromServer = (command: readonly string[]): Promise<Ended> =>
  execa('ip', ['netns', 'exec', pair.names.server, ...command], { reject: false, timeout: 30_000, stdin: 'ignore' });
const ingotSsh = (...command: string[]): Promise<Ended> =>
  fromServer([INGOT, 'boot', 'ssh', '--socket', join(pair.folder, 'admin.sock'), MAC, ...command]);
const ssh = (key: DebugKey, ...words: string[]): Promise<Ended> =>
  fromServer(
    `ssh -F none -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null ${['-i', key.keyFile, ...words].join(' ')} root@${CLIENT_ADDRESS} true`.split(
      ' ',
    ),
  );

/** Listening TCP sockets of the machine. */
const listeners = async (): Promise<string> => (await pair.run('client', ['ss', '-Htln'])).trim();

function found(): DebugKey {
  const key = keys.find(MAC);
  if (key === undefined) throw new Error('there is no key');
  return key;
}

describe('the debug shell', () => {
  it.each([
    ['without a key', 'quiet', []],
    [
      'with a word that is no key',
      'INGOT_DEBUG_KEY=AAAAE2VjZHNh',
      ['ssh INGOT_DEBUG_KEY is no key of a boot server: nobody gets in'],
    ],
  ])('is closed %s', async (_name, cmdline, said) => {
    const image = createImageSandbox(pair, cmdline);
    const script = await image.start('debug-shell.sh');
    await vi.waitFor(() => expect(script.process.exitCode).not.toBeNull(), soon);
    expect(image.console()).toEqual(said);
    expect(await listeners()).toBe('');
    expect(readFileSync(join(pair.folder, 'etc/passwd'), 'utf8')).toContain('root:x:0:0:root:/root:/bin/false\n');
  });

  it('opens to the key of the boot, and to nothing else', async () => {
    const publicKey = keys.issue(MAC) ?? '';
    const image = createImageSandbox(pair, `quiet INGOT_DEBUG_KEY=${publicKey} BOOTIF=01-52-54-00-00-01-01`);
    const { pid } = await image.start('debug-shell.sh');
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(async () => expect(await listeners()).toContain(':22'), soon);

    // As the agent tells the boot server.
    expect(keys.pinHost(MAC, image.run('ssh/host_key.pub')?.trim() ?? '')).toBe(true);
    const inside = await ingotSsh('id', '-u', '&&', 'cat', '/proc/cmdline');
    expect(inside).toMatchObject({ exitCode: 0, stderr: '' });
    expect(inside.stdout).toBe(`0\nquiet INGOT_DEBUG_KEY=${publicKey} BOOTIF=01-52-54-00-00-01-01`);
    expect((await ingotSsh('exit', '7')).exitCode).toBe(7);

    const { hostsFile, keyFile } = found();
    const fingerprint = (await execa('ssh-keygen', ['-lf', hostsFile])).stdout.split(' ')[1];
    expect(image.console()[0]).toBe(`ssh open to the debug key of this boot; host key ${fingerprint}`);
    expect(image.console()[1]).toMatch(/^ssh someone is in, from 10\.9\.0\.1:\d+$/);
    await vi.waitFor(() => expect(image.console()[2]).toMatch(/^ssh someone has left: from <10\.9\.0\.1:\d+>/), soon);
    // What ssh itself makes of the private key.
    expect((await execa('ssh-keygen', ['-yf', keyFile])).stdout).toBe(`ecdsa-sha2-nistp256 ${publicKey}`);

    expect((await ssh(found(), '-o PreferredAuthentications=password -o NumberOfPasswordPrompts=0')).stderr).toContain(
      'Permission denied (publickey)',
    );
    const forwarded = await ssh(found(), '-o ExitOnForwardFailure=yes -R 2222:127.0.0.1:22');
    expect(forwarded.exitCode).toBe(255);
    expect(forwarded.stderr).toContain('remote port forwarding failed');

    // A machine with another host key is not this one.
    writeFileSync(hostsFile, `${MAC} ecdsa-sha2-nistp256 ${publicKey}\n`);
    const other = await ingotSsh('true');
    expect(other.exitCode).toBe(255);
    expect(other.stderr).toContain('Host key verification failed');

    // The key of the next boot does not open this one.
    keys.issue(MAC);
    expect((await ssh(found())).stderr).toContain('Permission denied (publickey)');
  });
});
