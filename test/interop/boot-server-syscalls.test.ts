import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { createBootNetwork } from './boot-server-network.ts';
import { asUnit, UNIT } from './boot-server-unit.ts';

/** The system calls of a group such as @system-service, those of its groups included. */
async function callsOf(group: string): Promise<Set<string>> {
  const calls = new Set<string>();
  const { stdout } = await execa('systemd-analyze', ['--no-pager', 'syscall-filter', group]);
  for (const line of stdout.split('\n').slice(1)) {
    const name = line.trim();
    if (name.startsWith('@')) for (const each of await callsOf(name)) calls.add(each);
    else if (name !== '' && !name.startsWith('#')) calls.add(name);
  }
  return calls;
}

/** What the unit's SystemCallFilter lets through: groups in the order of the lines, `~` takes away. */
async function allowedCalls(): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const [, takesAway, groups = ''] of UNIT.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const group of groups.split(' ')) {
      for (const call of await callsOf(group)) {
        if (takesAway === '~') allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  return allowed;
}

it('a whole boot uses no system call that the systemd unit forbids', async () => {
  await using net = await createBootNetwork();
  const log = join(net.folder, 'data/strace');
  const server = await net.bootServer({}, [...(await asUnit(net)), 'strace', '-D', '-f', '-qq', '-o', log]);
  const script = net.file('udhcpc.sh', '#!/bin/sh\n[ "$1" = bound ] && ip addr add "$ip/$mask" dev eth0\nexit 0\n');
  const pxe = ['-V', 'PXEClient:Arch:00000:UNDI:002001', '-x', '93:0000'];
  await net.run('near', ['busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-t', '9', '-T', '3', '-s', script, ...pxe]);
  const name = `${(await net.macOf('near')).replaceAll(':', '-')}/undionly.kpxe`;
  const got = join(net.folder, 'got');
  expect(await net.run('near', ['busybox', 'tftp', '-g', '-r', name, '-l', got, '10.0.0.1'])).toMatchObject({
    exitCode: 0,
  });
  expect(await net.run('near', ['curl', '-sSf', '-o', got, `http://10.0.0.1:8080/boot/${name}`])).toMatchObject({
    exitCode: 0,
  });
  await server.kill('SIGTERM');

  const used = new Set([...readFileSync(log, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, call = '']) => call));
  const allowed = await allowedCalls();
  expect(used).toContain('recvmmsg');
  expect([...used].filter((call) => !allowed.has(call))).toEqual([]);
  for (const call of ['memfd_create', 'recvmmsg', 'sendmmsg', 'sendfile', 'epoll_wait', 'eventfd2', 'prctl'])
    expect([call, allowed.has(call)]).toEqual([call, true]);
});
