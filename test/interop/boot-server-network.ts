import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startIn, type Running } from '../support/running.ts';

export type { Running } from '../support/running.ts';

const MAIN = fileURLToPath(new URL('../../packages/boot-server/src/main.ts', import.meta.url));

/** Four tries, far enough apart that a slow host's answer is there before the next; its script is still to be named. */
export const UDHCPC: readonly string[] = 'busybox udhcpc -i eth0 -n -q -t 4 -T 8'.split(' ');

export interface Result {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/**
 * `server` (10.0.0.1/24 on a bridge), `near` on its link, and `leaf` (10.0.0.11 and 10.0.1.1/24), behind which `far`
 * is: four network namespaces of their own names, gone on `close`.
 */
export interface BootNetwork extends AsyncDisposable {
  readonly folder: string;
  file(name: string, text: string): string;
  run(namespace: Namespace, command: readonly string[]): Promise<Result>;
  start(namespace: Namespace, command: readonly string[]): Running;
  /** Starts the real daemon with `change` over a plain configuration, `before` before its command, and waits until it listens. */
  bootServer(change?: Readonly<Record<string, unknown>>, before?: readonly string[]): Promise<Running>;
  macOf(namespace: 'near' | 'far'): Promise<string>;
}

export type Namespace = 'server' | 'near' | 'leaf' | 'far';

export async function createBootNetwork(): Promise<BootNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'ibs-'));
  const prefix = `ibs-${process.pid}-${Math.random().toString(36).slice(2, 6)}`;
  const name = (namespace: Namespace): string => `${prefix}-${namespace}`;
  const all: readonly Namespace[] = ['server', 'near', 'leaf', 'far'];
  const running: Running[] = [];
  const ip = (namespace: Namespace, words: string): Promise<unknown> =>
    execa('ip', ['-n', name(namespace), ...words.split(' ')]);
  const link = async (a: Namespace, aName: string, b: Namespace, bName: string): Promise<void> => {
    await ip(a, `link add ${aName} type veth peer name ${bName} netns ${name(b)}`);
    await ip(a, `link set ${aName} up`);
    await ip(b, `link set ${bName} up`);
  };
  for (const namespace of all) {
    await execa('ip', ['netns', 'add', name(namespace)]);
    await ip(namespace, 'link set lo up');
  }
  await ip('server', 'link add br0 type bridge');
  await ip('server', 'addr add 10.0.0.1/24 dev br0');
  await ip('server', 'link set br0 up');
  await ip('server', 'route add 10.0.1.0/24 via 10.0.0.11');
  await link('server', 'p0', 'near', 'eth0');
  await link('server', 'p1', 'leaf', 'eth0');
  for (const port of ['p0', 'p1']) await ip('server', `link set ${port} master br0`);
  // A bridge passes nothing to a port before it has heard of its link, which may be a second late.
  const isOpen = async (port: string): Promise<boolean> =>
    (await execa('ip', ['-n', name('server'), '-d', 'link', 'show', port])).stdout.includes('state forwarding');
  for (const port of ['p0', 'p1']) while (!(await isOpen(port))) await pause(20);
  await link('leaf', 'Vlan4000', 'far', 'eth0');
  await ip('leaf', 'addr add 10.0.0.11/24 dev eth0');
  await ip('leaf', 'addr add 10.0.1.1/24 dev Vlan4000');
  await execa('ip', ['netns', 'exec', name('leaf'), 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);

  const file = (fileName: string, text: string): string => {
    const path = join(folder, fileName);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  };
  const start = (namespace: Namespace, command: readonly string[]): Running => {
    const one = startIn(name(namespace), command);
    running.push(one);
    return one;
  };
  return {
    folder,
    file,
    start,
    run: async (namespace, command) => {
      const result = await execa('ip', ['netns', 'exec', name(namespace), ...command], {
        reject: false,
        all: true,
        timeout: 90_000,
        cwd: folder,
      });
      return { exitCode: result.exitCode, output: result.all };
    },
    bootServer: async (change = {}, before = []) => {
      const config = {
        partition: 'test',
        dataDir: join(folder, 'data'),
        advertiseAddress: '10.0.0.1',
        dhcp: {
          listen: ['10.0.0.1'],
          subnets: [
            {
              subnet: '10.0.0.0/24',
              pool: '10.0.0.100-10.0.0.199',
              routers: ['10.0.0.254'],
              dnsServers: ['10.0.0.53'],
              leaseSeconds: 600,
            },
            {
              subnet: '10.0.1.0/24',
              pool: '10.0.1.100-10.0.1.199',
              routers: ['10.0.1.1'],
              ntpServers: ['10.0.0.123'],
              leaseSeconds: 600,
            },
          ],
        },
        http: { listen: '10.0.0.1:8080' },
        api: { url: 'https://10.0.0.1:9443', caFile: join(folder, 'ca.pem'), tokenFile: join(folder, 'token') },
        ...change,
      };
      // JSON is YAML.
      const path = file('boot-server.yaml', JSON.stringify(config));
      const server = start('server', [...before, process.execPath, MAIN, '--config', path]);
      await server.prints(/"event":"daemon.ready"/);
      return server;
    },
    macOf: async (namespace) => {
      const { stdout } = await execa('ip', ['-n', name(namespace), '-j', 'link', 'show', 'eth0']);
      return /"address":"([0-9a-f:]{17})"/.exec(stdout)?.[1] ?? '';
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of running.toReversed()) await one.kill('SIGKILL');
      for (const namespace of all) await execa('ip', ['netns', 'del', name(namespace)], { reject: false });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
