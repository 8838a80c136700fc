/**
 * What it takes to make a switch's config_db.json: `ingot-switch generate` as a process from start to end, for a switch
 * of 64 cages as they come and with each broken out into eight ports, every port in a VLAN; and the comparison of the
 * latter with a saved file. Node that does nothing is the floor. Time, processor time and memory.
 *
 *     node test/bench/switch-generate.bench.ts
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testSwitch, writeSwitch } from '../../packages/switch-agent/test/platforms/platforms.ts';
import { compileC } from '../support/compile.ts';
import { compare, median } from './support/compare.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 5;
const WHOLE = '64 cages of 800G';
const BROKEN = '… broken out: 512 ports of 100G';
const BREAKOUT = '8x100G[50G,25G,10G]';
const root = join(import.meta.dirname, '../..');

const onSwitch = testSwitch('ds5000');
const cages = [...(onSwitch.target.platform.cages?.values() ?? [])].filter(({ lanes }) => lanes.length === 8);

/** A leaf whose ports, but for two uplinks, are all in the VLAN that machines boot in. */
function leaf(breakouts: readonly string[], ports: readonly string[]): string {
  return [
    'hostname: r01-leaf01',
    'loopback_address: 10.0.0.11',
    'bgp_ports: [Ethernet512, Ethernet513]',
    ...(breakouts.length === 0 ? [] : ['breakouts:', ...breakouts.map((name) => `  ${name}: ${BREAKOUT}`)]),
    'vlans:',
    '  - id: 4000',
    '    ip: 10.0.0.1/22',
    '    untagged_ports:',
    ...ports.map((name) => `      - ${name}`),
    '',
  ].join('\n');
}

leaveNothingBehind();
const directory = mkdtempSync(join(tmpdir(), 'ingot-switch-generate-bench-'));
try {
  await writeSwitch(directory, onSwitch);
  const names = cages.map(({ name }) => name);
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const whole = write('whole.yaml', leaf([], names));
  const broken = write(
    'broken.yaml',
    leaf(
      names,
      cages.flatMap(({ base, lanes }) => lanes.map((_, lane) => `Ethernet${base + lane}`)),
    ),
  );
  const main = join(root, 'packages/switch-agent/src/main.ts');
  const places = {
    '--device-dir': 'usr/share/sonic/device',
    '--environment-file': 'etc/sonic/sonic-environment',
    '--version-file': 'etc/sonic/sonic_version.yml',
    '--mac-file': 'sys/class/net/eth0/address',
    '--init-file': 'none',
  };
  const options = Object.entries(places).flatMap(([option, path]) => [option, join(directory, path)]);
  const generate = (input: string): readonly string[] => {
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'generate', '-i', input];
    return [...command, ...options];
  };
  const [node = '', ...args] = generate(broken);
  const saved = write('saved.json', (await promisify(execFile)(node, args, { maxBuffer: 2 ** 26 })).stdout);
  const programs = new Map<string, readonly string[]>([
    [WHOLE, generate(whole)],
    [BROKEN, generate(broken)],
    ['… compared with a saved one', [...generate(broken), '--diff', saved]],
    ['node that does nothing', [process.execPath, '-e', '0']],
  ]);

  const runOnce = compileC(new URL('load/run-once.c', import.meta.url));
  // As bin/ingot-switch does: the compiled code is kept from one run to the next.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(directory, 'compile') };
  const costs = new Map<string, { readonly cpuMs: number; readonly mebibytes: number }[]>();
  const measure = async (name: string): Promise<number> => {
    const { stdout } = await promisify(execFile)(runOnce, [...(programs.get(name) ?? [])], { env, timeout: 60_000 });
    const [wallUs = Number.NaN, cpuUs = Number.NaN, kibibytes = Number.NaN] = stdout.trim().split(' ').map(Number);
    costs.set(name, [...(costs.get(name) ?? []), { cpuMs: cpuUs / 1000, mebibytes: kibibytes / 1024 }]);
    return wallUs / 1000;
  };
  // Fills the compile cache.
  for (const name of programs.keys()) await measure(name);
  costs.clear();
  await compare({
    title: 'config_db.json of a switch',
    unit: 'ms',
    ours: BROKEN,
    rounds: ROUNDS,
    patient: !quick,
    contenders: [...programs.keys()].map((name) => ({ name, measure: () => measure(name) })),
  });
  console.log('\nThe same runs (medians): processor time in ms, memory at its peak in MiB');
  for (const [name, runs] of costs) {
    const cpu = median(runs.map(({ cpuMs }) => cpuMs));
    const memory = median(runs.map(({ mebibytes }) => mebibytes));
    console.log(`  ${name.padEnd(34)} ${cpu.toFixed(1).padStart(8)}  ${memory.toFixed(1).padStart(8)}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
