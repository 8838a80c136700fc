/**
 * A thousand machines that are switched on within one second, from DISCOVER to the last byte of a 40 MB initrd.
 *
 *     sudo node test/bench/power-on.bench.ts [--machines 1000] [--quick]
 *
 * The boot server is the real program in one network namespace, with an API stand-in; the machines
 * (test/bench/load/power-on.c) are in another behind a relay address, each with the address that it is leased. Half of
 * them load iPXE by TFTP, half by UEFI HTTP boot. Every 50th compares all it gets with the files, the others count.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readComplaints } from '../support/complaints.ts';
import { compileC } from '../support/compile.ts';
import { POOL_NETWORK, startBootServer } from '../support/boot-server.ts';
import { CLIENT_ADDRESS, createNamespacePair, SERVER_ADDRESS } from '../support/namespace-pair.ts';
import { readCpuSeconds, readMemoryMb } from '../support/process-stat.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { values } = parseArgs({ options: { machines: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const machines = Number(values.machines ?? (values.quick ? 100 : 1_000));
const LOADER = '/usr/lib/ipxe/snponly.efi';
const KERNEL_BYTES = 10_000_000;
const INITRD_BYTES = 40_000_000;

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What power-on prints. */
interface PowerOn {
  readonly machines: number;
  readonly booted: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly bytes: number;
  readonly verified: number;
  readonly dhcpAgain: number;
  readonly tftpAgain: number;
  readonly httpAgain: number;
}

const STAGES = ['lease', 'loader', 'ipxeLease', 'script', 'kernel', 'initrd', 'ready', 'config', 'boot'] as const;

leaveNothingBehind();
await using pair = await createNamespacePair();
const kernel = join(pair.folder, 'vmlinuz');
const initrd = join(pair.folder, 'initrd');
writeFileSync(kernel, randomBytes(KERNEL_BYTES));
writeFileSync(initrd, randomBytes(INITRD_BYTES));
copyFileSync(new URL('../../packages/api/test/fixtures/ca.pem', import.meta.url), join(pair.folder, 'ca.pem'));
pair.file('token', 'good');
await pair.run('server', ['ip', 'route', 'add', POOL_NETWORK, 'via', CLIENT_ADDRESS]);
await pair.run('client', ['ip', 'route', 'add', 'local', POOL_NETWORK, 'dev', 'lo']);
// A machine answers no ping at an address that it does not have yet: the boot server asks before it offers one.
await pair.run('client', ['sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=1']);
await pair.start(
  'server',
  [
    process.execPath,
    new URL('../support/api-stand-in-main.ts', import.meta.url).pathname,
    `file://${kernel}`,
    `file://${initrd}`,
  ],
  { ready: /listening/ },
);
const server = await startBootServer(pair, {
  api: { url: 'https://127.0.0.1:9443', caFile: join(pair.folder, 'ca.pem'), tokenFile: join(pair.folder, 'token') },
  artifacts: { roots: [pair.folder] },
});
const program = compileC(new URL('load/power-on.c', import.meta.url));
const words = `--server ${SERVER_ADDRESS} --from ${CLIENT_ADDRESS} --machines ${machines} --loader ${LOADER} --kernel ${kernel} --initrd ${initrd}`;
const printed = await pair.run('client', [program, ...words.split(' ')], 900_000);
const result: PowerOn & Partial<Record<(typeof STAGES)[number], Percentiles>> = JSON.parse(printed);

console.log(
  `\n${result.machines} machines on within 1 s: ${result.booted} booted, ${result.failed} failed, in ${result.seconds.toFixed(1)} s`,
);
console.log(
  `  ${(result.bytes / 1e9).toFixed(2)} GB, ${Math.round(result.bytes / 1e6 / result.seconds)} MB/s; ${result.verified} machines compared every byte; ${result.dhcpAgain} DHCP, ${result.tftpAgain} TFTP and ${result.httpAgain} HTTP repetitions`,
);
for (const stage of STAGES) {
  const line = result[stage];
  if (line !== undefined)
    console.log(
      `  ${stage.padEnd(10)} p50 ${line.p50.toFixed(3)} s, p99 ${line.p99.toFixed(3)} s, longest ${line.max.toFixed(3)} s`,
    );
}
for (const failure of result.failures) console.log(`  ${failure}`);
const memory = readMemoryMb(server.pid);
console.log(
  `  the boot server: ${memory.most} MB at most, ${memory.now} MB at the end, ${readCpuSeconds(server.pid).toFixed(1)} s of processor time`,
);
for (const { level, message, count } of (await readComplaints(server.logPath)).slice(0, 10))
  console.log(`  its log, ${level}, ${count} times, as: ${message}`);
if (result.failed > 0) process.exitCode = 1;
