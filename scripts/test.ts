// `npm test`: static checks first, then the vitest groups, fastest first, stopping at the first group that fails.
// The last line is the plain total that CI reads.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './checks.ts';

const root = join(import.meta.dirname, '..');
const groups = ['check', 'unit', 'interop', 'e2e', 'firmware'] as const;
/** Only by its name: five minutes of rarer boots, beside the fifteen of the others. */
const onRequest: Group = 'firmware';
type Group = (typeof groups)[number];

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What vitest's JSON reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

function isGroup(name: string): name is Group {
  return groups.some((group) => group === name);
}

function runVitest(group: Exclude<Group, 'check'>): Tally {
  const outputFile = join(root, '.cache', 'test', `${group}.json`);
  mkdirSync(join(root, '.cache', 'test'), { recursive: true });
  rmSync(outputFile, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      group,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${outputFile}`,
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  try {
    const report: VitestReport = JSON.parse(readFileSync(outputFile, 'utf8'));
    // A file that could not even be loaded has no assertions: it counts as one failure.
    const broken = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    const failed = report.numFailedTests + broken;
    return {
      passed: report.numPassedTests,
      failed: failed === 0 && (status !== 0 || report.numPassedTests === 0) ? 1 : failed,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !isGroup(name));
  if (unknown.length > 0) {
    console.error(`unknown test group ${unknown.join(', ')}; the groups are ${groups.join(', ')}`);
    process.exit(64);
  }
  let total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const group of groups) {
    if (wanted.length > 0 ? !wanted.includes(group) : group === onRequest) continue;
    console.log(`\n== ${group} ==`);
    if (group !== 'check' && group !== 'unit' && process.getuid?.() !== 0) {
      console.error(`The ${group} tests make network namespaces, which needs root. Run: sudo npm test`);
      total = { ...total, failed: total.failed + 1 };
      break;
    }
    const tally = group === 'check' ? await runChecks(root) : runVitest(group);
    total = {
      passed: total.passed + tally.passed,
      failed: total.failed + tally.failed,
      skipped: total.skipped + tally.skipped,
    };
    if (tally.failed > 0) break;
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

await main();
