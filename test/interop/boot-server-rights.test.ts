import { readdirSync, readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminClient } from '@ingot/boot-server/admin';
import { createBootNetwork, UDHCPC, type BootNetwork, type Running } from './boot-server-network.ts';
import { asUnit, NOBODY } from './boot-server-unit.ts';

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
  // mkdtemp makes it for root alone.
  await chmod(net.folder, 0o755);
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** A field of /proc/<pid>/status, of every thread; the main thread first. */
function threads(pid: number, field: string): string[] {
  return readdirSync(`/proc/${pid}/task`)
    .toSorted((a, b) => Number(a) - Number(b))
    .map((task) => {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
      return new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
    });
}

/** `ip netns exec` becomes the server itself. */
function pidOf(server: Running): number {
  const { pid } = server.process;
  if (pid === undefined) throw new Error('it does not run');
  return pid;
}

async function bootsAMachine(): Promise<void> {
  const script = net.file(
    'udhcpc.sh',
    '#!/bin/sh\n[ "$1" = bound ] && ip addr add "$ip/$mask" dev eth0 && echo "LEASE $ip"\n',
  );
  const lease = await net.run('near', [...UDHCPC, '-s', script]);
  expect(lease.output).toMatch(/LEASE 10\.0\.0\.100/);
  const mac = (await net.macOf('near')).replaceAll(':', '-');
  const tftp = ['busybox', 'tftp', '-g', '-r', `${mac}/undionly.kpxe`, '-l', join(net.folder, 'got'), '10.0.0.1'];
  expect(await net.run('near', tftp)).toMatchObject({ exitCode: 0 });
}

const BIND_ONLY = '0000000000000400';

describe('rights', () => {
  it('started by root with runAs, it serves as that user, who may bind low ports and nothing else', async () => {
    const server = await net.bootServer({ runAs: 'nobody' });
    const pid = pidOf(server);
    expect(new Set(threads(pid, 'Uid'))).toEqual(new Set([Array.from({ length: 4 }, () => NOBODY).join('\t')]));
    const [main, ...others] = threads(pid, 'CapEff');
    expect(main).toBe(BIND_ONLY);
    for (const each of others) expect(['0000000000000000', BIND_ONLY]).toContain(each);
    expect(threads(pid, 'CapBnd')[0]).toBe(BIND_ONLY);
    expect(threads(pid, 'Groups')[0]?.trim()).toBe(String(NOBODY));
    expect(threads(pid, 'NoNewPrivs')[0]).toBe('1');
    await bootsAMachine();
    expect(await adminClient(join(net.folder, 'data/admin.sock')).leases()).toMatchObject([{ address: '10.0.0.100' }]);
  });

  it('serves with exactly the capabilities of its systemd unit', async () => {
    const server = await net.bootServer({}, await asUnit(net));
    expect(threads(pidOf(server), 'CapEff')).toEqual(expect.arrayContaining([BIND_ONLY]));
    await bootsAMachine();
  });

  it('as another user than root it says that it cannot become one', async () => {
    await expect(
      net.bootServer({ runAs: 'daemon' }, ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups']),
    ).rejects.toThrow(/only root can become daemon/);
  });
});
