// Sets a fresh host up and runs one of the project's two commands. Plain JavaScript for whatever Node >= 20 the host
// has: everything after this file runs under the Node that the lockfile pins.
//
//   node scripts/bootstrap.mjs start [arguments of `ingot lab up`]
//   node scripts/bootstrap.mjs test  [groups: check unit interop e2e firmware]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pnpmVersion = '12.21.0';

/** Debian packages, and what each is for. `test` marks those that only the tests need. */
const debianPackages = [
  ['libatomic1', 'the pinned Node is linked against it'],
  ['ca-certificates', 'downloads over TLS'],
  ['iproute2', 'network namespaces, links and routes of the virtual rack'],
  ['util-linux', 'setpriv: a process of the rack dies with it'],
  ['procps', 'sysctl inside a namespace'],
  ['qemu-system-x86', 'the machines'],
  ['ovmf', 'UEFI firmware of the machines'],
  ['ipxe-qemu', 'option ROMs of the emulated network cards'],
  ['ipxe', 'iPXE binaries that the boot server hands out'],
  ['redis-server', "SONiC's databases on each leaf"],
  ['lldpd', 'LLDP on each leaf'],
  ['radvd', 'router advertisements on each leaf, as BGP unnumbered leaves send them'],
  ['openipmi', 'ipmi_sim: the BMC of each machine'],
  ['ipmitool', 'asking the BMCs'],
  ['isc-dhcp-server', 'a foreign DHCP server beside ours', 'test'],
  ['isc-dhcp-relay', 'a foreign DHCP relay in front of ours', 'test'],
  ['isc-dhcp-client', 'a foreign DHCP client', 'test'],
  ['kea-admin', 'perfdhcp: many foreign DHCPv6 clients at once', 'test'],
  ['busybox-static', 'another foreign DHCP client', 'test'],
  ['klibc-utils', "ip=dhcp as Debian's initramfs has it", 'test'],
  ['atftp', 'a TFTP client with block and window sizes', 'test'],
  ['tftp-hpa', 'another TFTP client', 'test'],
  ['curl', 'an HTTP client', 'test'],
  ['openssl', 'certificates for tests of HTTPS', 'test'],
  ['tcpdump', 'captures', 'test'],
  ['dnsmasq-base', 'a foreign DHCP server beside ours', 'test'],
  ['dnsmasq-utils', "dnsmasq's tools that ask about leases and end them", 'test'],
  ['kea-dhcp4-server', 'another foreign DHCP server beside ours', 'test'],
  ['kea-dhcp6-server', 'a foreign DHCPv6 server beside ours', 'test'],
  ['qemu-system-arm', 'machines with an ARM processor', 'test'],
  ['qemu-efi-aarch64', 'UEFI firmware of the machines with an ARM processor', 'test'],
  ['ovmf-ia32', 'UEFI firmware of 32 bits', 'test'],
  ['grub-efi-ia32-bin', 'the boot loader of the machines that have it', 'test'],
  ['u-boot-qemu', 'U-Boot, as ARM boards have it', 'test'],
  ['shim-signed', 'the first loader under Secure Boot', 'test'],
  ['grub-efi-amd64-signed', 'the second loader under Secure Boot', 'test'],
  ['gcc', 'load generators and the lossy forwarder, in C', 'test'],
  ['libc6-dev', 'headers for them', 'test'],
  ['dropbear-bin', 'the SSH server of the discovery image', 'test'],
  ['openssh-client', 'a foreign SSH client', 'test'],
  ['dhcpcd-base', 'the DHCPv6 client of the discovery image', 'test'],
  ['lshw', 'a second opinion on what a machine is made of', 'test'],
  ['strace', 'which system calls the boot server makes', 'test'],
  ['libyang2-tools', "yanglint: SONiC's own models of config_db.json", 'test'],
  ['frr', 'the routing daemons that load what the switch agent renders', 'test'],
  ['frr-pythontools', 'frr-reload, as a leaf runs it', 'test'],
  ['postgresql', 'the second database of the API server', 'test'],
  ['swtpm', 'the TPM of a machine', 'test'],
  ['zsh', 'a shell whose completion is tried', 'test'],
  ['fish', 'another one', 'test'],
  ['systemd', 'systemd-analyze: what the units allow', 'test'],
];

/** Packages above whose services Debian would enable at boot; the rack starts its own instances. */
const services = {
  'isc-dhcp-relay': ['isc-dhcp-relay'],
  'redis-server': ['redis-server'],
  lldpd: ['lldpd'],
  radvd: ['radvd'],
  openipmi: ['openipmi'],
  'kea-dhcp4-server': ['kea-dhcp4-server'],
  'kea-dhcp6-server': ['kea-dhcp6-server'],
  'isc-dhcp-server': ['isc-dhcp-server', 'isc-dhcp-server6'],
  frr: ['frr'],
  postgresql: ['postgresql'],
};

const [command, ...args] = process.argv.slice(2);
const isRoot = process.getuid() === 0;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Runs a set-up step; its output is shown only if it fails. */
function run(file, argv, env = process.env) {
  const { status, error, stdout, stderr } = spawnSync(file, argv, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (error) fail(`set-up: ${file} could not be started: ${error.message}`);
  if (status !== 0)
    fail(
      `${stdout}${stderr}\nset-up: "${[file, ...argv].join(' ')}" ended with status ${status}; its output is above.`,
    );
}

function missingPackages(wanted) {
  const query = spawnSync(
    'dpkg-query',
    ['-W', '-f', '${db:Status-Status} ${Package}\n', ...wanted.map(([name]) => name)],
    { encoding: 'utf8' },
  );
  if (query.error)
    fail('set-up: dpkg-query is missing: Ingot is developed on Debian 12 and installs what it needs with apt.');
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice(10)),
  );
  return wanted.filter(([name]) => !installed.has(name));
}

/** Installs packages without letting any of their services start now or at the next boot. */
function aptInstall(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], env);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], env);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
  if (existsSync('/run/systemd/system')) {
    for (const unit of names.flatMap((name) => services[name] ?? []))
      spawnSync('systemctl', ['disable', '--quiet', unit], { stdio: 'ignore' });
  }
}

function ensureDebianPackages(forTests) {
  const missing = missingPackages(debianPackages.filter(([, , only]) => forTests || only === undefined));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  process.stdout.write(
    `Debian packages to install:\n${missing.map(([name, why]) => `  ${name.padEnd(18)} ${why}`).join('\n')}\n`,
  );
  if (!isRoot)
    fail(
      `\nInstalling them needs root. Run this, then the same command again:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
    );
  aptInstall(names);
}

/** Everything that decides what `pnpm install` would do. */
function installDigest() {
  const hash = createHash('sha256').update(pnpmVersion);
  const manifests = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'test/package.json',
    ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`),
  ];
  for (const file of manifests) if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function ensureNodePackages() {
  const stamp = join(root, '.cache', 'installed');
  const digest = installDigest();
  if (existsSync(join(root, 'node_modules/.bin/node')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest)
    return;
  process.stdout.write(
    `npm packages to install: as pnpm-lock.yaml pins them, Node 26 among them (with pnpm ${pnpmVersion} through npx)\n`,
  );
  run('npx', ['--yes', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    ...process.env,
    CI: 'true',
    npm_config_loglevel: 'error',
  });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/** Hands over to a program under the pinned Node; signals reach it directly, its exit status becomes ours. */
function handOver(script, argv) {
  const bin = join(root, 'node_modules/.bin');
  const child = spawn(join(bin, 'node'), ['--disable-warning=ExperimentalWarning', script, ...argv], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${bin}:/usr/local/sbin:/usr/sbin:/sbin:${process.env.PATH ?? ''}`,
      NODE_COMPILE_CACHE: join(root, '.cache/compile'),
    },
  });
  process.on('SIGINT', () => {}); // the terminal sends it to the child as well, which takes the rack down first
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

if (process.platform !== 'linux' || process.arch !== 'x64')
  fail(`Ingot's virtual rack runs on Linux on x86-64; this is ${process.platform} on ${process.arch}.`);
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20 or newer is needed to set up; this is ${process.version}.`);
if (command === 'start') {
  ensureDebianPackages(false);
  if (!isRoot) fail('The virtual rack needs root for its network namespaces. Run:\n\n  sudo npm start\n');
  ensureNodePackages();
  handOver('packages/cli/src/main.ts', ['lab', 'up', ...args]);
} else if (command === 'test') {
  ensureDebianPackages(true);
  ensureNodePackages();
  handOver('scripts/test.ts', args);
} else {
  fail('usage: node scripts/bootstrap.mjs start|test [arguments]');
}
