/** Lease files as ISC dhcpd and Kea write them, for a real client. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { expect, test, vi } from 'vitest';
import { readLeases, type LeaseFile } from '../src/leases/read-leases.ts';

const MAC = '02:00:00:bb:00:65';
const WAIT = { timeout: 30_000, interval: 100 };

/** A network with a DHCP server's end (10.77.0.1) and a BMC's, each in a namespace. */
function link(
  directory: string,
): Disposable & { server: (...argv: string[]) => ChildProcess; client: (word: '-1' | '-r') => void } {
  const [near, far] = [`ingot-ls-${process.pid}`, `ingot-lb-${process.pid}`];
  const ip = (...words: string[]): void => void execFileSync('ip', words, { stdio: 'ignore' });
  const script = join(directory, 'took');
  // An address of its own: a lease is given back from there.
  const take = '[ -z "$new_ip_address" ] || ip addr replace "$new_ip_address/24" dev "$interface"';
  writeFileSync(
    script,
    `#!/bin/sh
${take}
`,
    { mode: 0o755 },
  );
  const cleanup = (): void => {
    try {
      process.kill(Number(readFileSync(join(directory, 'client.pid'), 'utf8')), 'SIGKILL');
    } catch {
      // It has ended.
    }
    for (const name of [near, far])
      try {
        ip('netns', 'del', name);
      } catch {
        // It was not made.
      }
  };
  try {
    ip('netns', 'add', near);
    ip('netns', 'add', far);
    ip('link', 'add', 'v0', 'netns', near, 'type', 'veth', 'peer', 'name', 'v1', 'netns', far);
    ip('-n', near, 'addr', 'add', '10.77.0.1/24', 'dev', 'v0');
    ip('-n', near, 'link', 'set', 'v0', 'up');
    ip('-n', far, 'link', 'set', 'v1', 'address', MAC);
    ip('-n', far, 'link', 'set', 'v1', 'up');
  } catch (error) {
    cleanup();
    throw error;
  }
  return {
    server: (...argv) => spawn('ip', ['netns', 'exec', near, ...argv], { stdio: 'ignore' }),
    client: (word) => {
      const files = ['-sf', script, '-lf', join(directory, 'client.leases'), '-pf', join(directory, 'client.pid')];
      // It stays, as a BMC does, until it is told to give the lease back.
      const argv = ['netns', 'exec', far, 'dhclient', '-4', word, '-cf', '/dev/null', ...files, 'v1'];
      execFileSync('ip', argv, { stdio: 'ignore', timeout: 90_000 });
    },
    [Symbol.dispose]: cleanup,
  };
}

test.each(['dhcpd', 'kea'] as const)(
  'what %s gives out is found, and not any more when it is given back',
  async (format) => {
    const directory = mkdtempSync(join(tmpdir(), 'ingot-dhcp-'));
    const at = (name: string): string => join(directory, name);
    const file = at('leases');
    const where: LeaseFile = { file, format };
    const found = async () => (await readLeases(where, AbortSignal.timeout(5000))).leases;
    let server: ChildProcess | undefined;
    try {
      using network = link(directory);
      if (format === 'dhcpd') {
        writeFileSync(file, '');
        const subnet = 'subnet 10.77.0.0 netmask 255.255.255.0 { range 10.77.0.100 10.77.0.199; }';
        writeFileSync(at('conf'), `authoritative;\nping-check off;\ndefault-lease-time 600;\n${subnet}\n`);
        server = network.server('dhcpd', '-4', '-f', '-cf', at('conf'), '-lf', file, '-pf', at('pid'), 'v0');
      } else {
        const config = {
          'interfaces-config': { interfaces: ['v0'] },
          // Its clean-up runs each second: `.2` is written, and the file is made anew.
          'lease-database': { type: 'memfile', persist: true, name: file, 'lfc-interval': 1 },
          'valid-lifetime': 600,
          subnet4: [{ id: 1, subnet: '10.77.0.0/24', pools: [{ pool: '10.77.0.100 - 10.77.0.199' }] }],
          loggers: [{ name: 'kea-dhcp4', output_options: [{ output: at('log') }], severity: 'WARN' }],
        };
        writeFileSync(at('conf'), JSON.stringify({ Dhcp4: config }));
        const places = [`KEA_PIDFILE_DIR=${directory}`, `KEA_LOCKFILE_DIR=${directory}`];
        server = network.server('env', ...places, 'kea-dhcp4', '-c', at('conf'));
      }
      network.client('-1');
      await vi.waitFor(async () => expect(await found()).toHaveLength(1), WAIT);
      if (format === 'kea') {
        await vi.waitFor(() => expect(readFileSync(`${file}.2`, 'utf8')).toContain(MAC), WAIT);
      }
      const [lease] = await found();
      expect(lease).toMatchObject({ address: expect.stringMatching(/^10\.77\.0\.1\d\d$/), mac: MAC });
      const seconds = ((lease?.expiresMs ?? 0) - systemClock.now()) / 1000;
      expect(seconds).toBeGreaterThan(300);
      expect(seconds).toBeLessThan(602);
      network.client('-r');
      await vi.waitFor(async () => expect(await found()).toEqual([]), WAIT);
    } finally {
      if (server !== undefined) {
        const ended = new Promise((resolve) => server?.once('close', resolve));
        server.kill('SIGKILL');
        await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
