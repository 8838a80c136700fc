/**
 * What it takes to say what this machine is made of: ours as in the discovery image, one bundle with V8's code cache,
 * beside `lshw -json`, npm's systeminformation, and dmidecode, lsblk and lspci together; each a process from start to
 * end, as root, five times in turns. Node that does nothing is the floor of ours and of systeminformation.
 *
 *     node test/bench/inventory.bench.ts
 */
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../../images/bundle.ts';
import { compileC } from '../support/compile.ts';
import { compare, median } from './support/compare.ts';
import type { Contender } from './support/compare.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const ROUNDS = 5;
const OURS = 'ingot-discovery inventory --json';
const root = join(import.meta.dirname, '../..');
const agentFolder = join(root, 'packages/discovery-agent');

interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly needs?: Contender['needs'];
}

/** What our inventory has, and no more; its own "everything" also asks for users and processes. */
const systeminformation = `
  const si = require('systeminformation');
  const parts = ['system', 'bios', 'baseboard', 'chassis', 'cpu', 'mem', 'memLayout', 'diskLayout', 'blockDevices',
    'graphics', 'networkInterfaces'];
  Promise.all(parts.map((part) => si[part]())).then((all) => console.log(JSON.stringify(all)));`;

leaveNothingBehind();
const directory = mkdtempSync(join(tmpdir(), 'ingot-inventory-bench-'));
try {
  const { code } = await bundle(join(agentFolder, 'src/main.ts'));
  writeFileSync(join(directory, 'agent.cjs'), code);
  copyFileSync(join(root, 'images/agent.mjs'), join(directory, 'agent.mjs'));
  const agent = join(directory, 'agent.mjs');
  execFileSync(process.execPath, [agent, '--write-cache', join(directory, 'agent.cache')], { stdio: 'ignore' });

  const programs: readonly Program[] = [
    { name: OURS, command: [process.execPath, agent, 'inventory', '--json'] },
    { name: 'node that does nothing', command: [process.execPath, '-e', '0'] },
    { name: 'lshw -json', command: ['lshw', '-json', '-quiet'], needs: { program: 'lshw', debianPackage: 'lshw' } },
    { name: 'systeminformation', command: [process.execPath, '-e', systeminformation] },
    {
      name: 'dmidecode, lsblk, lspci',
      command: ['sh', '-c', 'dmidecode; lsblk --json --output-all; lspci -vmmnn; true'],
      needs: { program: 'dmidecode', debianPackage: 'dmidecode' },
    },
  ];
  const runOnce = compileC(new URL('load/run-once.c', import.meta.url));
  const costs = new Map<string, { readonly cpuMs: number; readonly mebibytes: number }[]>();
  const measure = async ({ name, command }: Program): Promise<number> => {
    const { stdout } = await promisify(execFile)(runOnce, [...command], { cwd: agentFolder, timeout: 60_000 });
    const [wallUs = Number.NaN, cpuUs = Number.NaN, kibibytes = Number.NaN] = stdout.trim().split(' ').map(Number);
    costs.set(name, [...(costs.get(name) ?? []), { cpuMs: cpuUs / 1000, mebibytes: kibibytes / 1024 }]);
    return wallUs / 1000;
  };
  await compare({
    title: 'Inventory of this machine',
    unit: 'ms',
    ours: OURS,
    rounds: ROUNDS,
    contenders: programs.map((program) => ({
      name: program.name,
      ...(program.needs && { needs: program.needs }),
      measure: () => measure(program),
    })),
  });
  console.log('\nThe same runs (medians; ours ÷ theirs): processor time in ms, memory at its peak in MiB');
  const middle = (name: string): readonly [number, number] => {
    const runs = costs.get(name) ?? [];
    return [median(runs.map(({ cpuMs }) => cpuMs)), median(runs.map(({ mebibytes }) => mebibytes))];
  };
  const [ourCpu, ourMemory] = middle(OURS);
  for (const { name } of programs) {
    const [cpu, memory] = middle(name);
    const column = (value: number, own: number): string =>
      `${value.toFixed(1).padStart(8)}  ${name === OURS ? '' : `× ${(own / value).toFixed(2)}`}`.padEnd(20);
    console.log(`  ${name.padEnd(34)} ${column(cpu, ourCpu)}${column(memory, ourMemory)}`.trimEnd());
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
