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
import { compare } from './support/compare.ts';
import type { Contender } from './support/compare.ts';

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

const directory = mkdtempSync(join(tmpdir(), 'ingot-inventory-bench-'));
try {
  writeFileSync(join(directory, 'agent.cjs'), await bundle(join(agentFolder, 'src/main.ts')));
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
  const figures = new Map<string, readonly number[]>();
  const measure = async ({ name, command }: Program): Promise<number> => {
    const { stdout } = await promisify(execFile)(runOnce, [...command], { cwd: agentFolder, timeout: 60_000 });
    const [wallUs = Number.NaN, cpuUs = Number.NaN, kibibytes = Number.NaN] = stdout.trim().split(' ').map(Number);
    figures.set(name, [...(figures.get(name) ?? []), cpuUs / 1000, kibibytes / 1024]);
    return wallUs / 1000;
  };
  /** Processor time and memory of the same runs, in the order in which they were measured. */
  const figureOf = (program: Program, which: 0 | 1): (() => Promise<number>) => {
    let next = which - 2;
    return () => {
      next += 2;
      return Promise.resolve(figures.get(program.name)?.[next] ?? Number.NaN);
    };
  };
  const contenders = (measured: (program: Program) => () => Promise<number>): Contender[] =>
    programs.map((program) => ({
      name: program.name,
      ...(program.needs && { needs: program.needs }),
      measure: measured(program),
    }));
  const table = { ours: OURS, rounds: ROUNDS };
  await compare({
    ...table,
    title: 'Inventory of this machine',
    unit: 'ms',
    contenders: contenders((program) => () => measure(program)),
  });
  await compare({
    ...table,
    title: '… processor time',
    unit: 'ms',
    contenders: contenders((program) => figureOf(program, 0)),
  });
  await compare({
    ...table,
    title: '… memory at its peak',
    unit: 'MiB',
    contenders: contenders((program) => figureOf(program, 1)),
  });
} finally {
  rmSync(directory, { recursive: true, force: true });
}
