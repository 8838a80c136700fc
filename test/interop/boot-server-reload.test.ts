import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork } from './boot-server-network.ts';

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

describe('SIGHUP', () => {
  it('changes the configuration in mid-download, and a wrong one changes nothing', async () => {
    net.file('big', 'x'.repeat(6_000_000));
    const server = await net.bootServer({ tftp: { root: net.folder }, http: { listen: '10.0.0.1:8080' } });
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0']);
    const path = join(net.folder, 'boot-server.yaml');
    const config = readFileSync(path, 'utf8');
    const download = net.run('near', [
      'curl',
      '-sSf',
      '--limit-rate',
      '2M',
      '-o',
      join(net.folder, 'got'),
      'http://10.0.0.1:8080/boot/big',
    ]);
    writeFileSync(path, config.replace('10.0.1.0/24', '10.0.1.7/24'));
    server.process.kill('SIGHUP');
    await server.prints(/"event":"daemon\.reload-refused"[^\n]*boot-server\.yaml:1:\d+: dhcp\.subnets\[1\]\.subnet/);
    writeFileSync(path, config.replace('10.0.0.100-10.0.0.199', '10.0.0.150-10.0.0.199'));
    server.process.kill('SIGHUP');
    await server.prints(/"event":"daemon\.reloaded"/);
    const script = net.file('udhcpc.sh', '#!/bin/sh\n[ "$1" = bound ] && echo "LEASE $ip"\nexit 0\n');
    const run = [...UDHCPC, '-s', script];
    expect((await net.run('near', run)).output).toMatch(/LEASE 10\.0\.0\.150/);
    expect(await download).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(net.folder, 'got'), 'utf8')).toHaveLength(6_000_000);
  });
});
