import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { floorViolations } from './floors.ts';

/** A static check of the tree: the problem in words, or undefined when there is none. */
interface Check {
  readonly name: string;
  run(root: string): Promise<string | undefined>;
}

function tool(name: string, file: string, args: readonly string[]): Check {
  return { name, run: (root) => execute(root, file, args) };
}

function execute(root: string, file: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const bin = join(root, 'node_modules/.bin');
    const child = spawn(join(bin, file), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` },
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : Buffer.concat(output).toString().slice(-8000)));
  });
}

function readTree(directory: string, prefix = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(directory, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) for (const [name, text] of readTree(directory, path)) files.set(name, text);
    else files.set(path, readFileSync(join(directory, path), 'utf8'));
  }
  return files;
}

/** Generates the protobuf types beside the tree and compares them with the committed ones. */
const generatedCode: Check = {
  name: 'generated code is what proto/ generates',
  async run(root) {
    const scratch = join(root, '.cache', 'generated');
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true });
    for (const input of ['proto', 'buf.yaml', 'buf.gen.yaml'])
      cpSync(join(root, input), join(scratch, input), { recursive: true });
    const problem = await execute(root, 'buf', [
      'generate',
      scratch,
      '--template',
      join(scratch, 'buf.gen.yaml'),
      '-o',
      scratch,
    ]);
    if (problem !== undefined) return problem;
    const fresh = readTree(join(scratch, 'packages/api/src/gen'));
    const committed = readTree(join(root, 'packages/api/src/gen'));
    const differing = [...new Set([...fresh.keys(), ...committed.keys()])].filter(
      (name) => fresh.get(name) !== committed.get(name),
    );
    return differing.length === 0 ? undefined : `stale: ${differing.join(', ')}\nrun: npx pnpm generate`;
  },
};

const checks: readonly Check[] = [
  tool('format', 'oxfmt', ['--check', '.']),
  tool('lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']),
  tool('types', 'tsc', ['-b']),
  tool('dead code', 'knip', []),
  tool('proto lint', 'buf', ['lint']),
  generatedCode,
  tool('the codecs are covered whole by their tests', 'vitest', [
    'run',
    '--project=unit',
    'packages/wire',
    '--coverage',
    '--coverage.include=packages/wire/src/**',
    '--coverage.reportsDirectory=.cache/coverage',
    '--coverage.thresholds.100',
  ]),
  {
    name: 'floors: imports point down only',
    run: (root) => {
      const violations = floorViolations(root);
      return Promise.resolve(violations.length === 0 ? undefined : violations.join('\n'));
    },
  },
];

/** Runs every check, printing a line each and what is wrong; the tally counts a check as a test. */
export async function runChecks(root: string): Promise<{ passed: number; failed: number; skipped: number }> {
  let failed = 0;
  for (const check of checks) {
    const started = performance.now();
    const problem = await check.run(root);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${problem === undefined ? '✓' : '✗'} ${check.name} (${seconds} s)`);
    if (problem !== undefined) {
      failed += 1;
      console.log(problem.trimEnd());
    }
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}
