import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The floor of each package: a package imports only from floors below its own. */
const floors: Readonly<Record<string, number>> = {
  wire: 0,
  net: 1,
  api: 1.2,
  daemon: 1.1,
  'boot-server': 2,
  'discovery-agent': 2,
  'switch-agent': 2,
  'bmc-agent': 2,
  'api-server': 2,
  lab: 3,
  cli: 4,
};

/** `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`. */
const importPattern =
  /(?:^|\n)(?:import|export)(?:[^'";]*?\sfrom)?\s*['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;

/**
 * Every import in packages/<name>/src that points up or sideways, leaves its package by a relative path, or brings
 * I/O into the codecs. One line each, `file: what and why`.
 */
export function floorViolations(root: string): string[] {
  const violations: string[] = [];
  for (const file of globSync('packages/*/src/**/*.ts', { cwd: root })) {
    const name = file.split('/')[1] ?? '';
    const floor = floors[name];
    if (floor === undefined) {
      violations.push(`${file}: package ${name} has no floor; give it one in scripts/floors.ts`);
      continue;
    }
    for (const match of readFileSync(join(root, file), 'utf8').matchAll(importPattern)) {
      const target = match[1] ?? match[2] ?? '';
      const problem = violation(root, file, name, floor, target);
      if (problem !== undefined) violations.push(`${file}: imports ${target}, ${problem}`);
    }
  }
  return violations;
}

function violation(root: string, file: string, name: string, floor: number, target: string): string | undefined {
  if (target.startsWith('.')) {
    const home = join(root, 'packages', name);
    const path = relative(home, resolve(root, dirname(file), target));
    return path.startsWith('..') ? 'which lies outside its package' : undefined;
  }
  if (name === 'wire') return 'but a codec does no I/O and has no dependency';
  if (!target.startsWith('@ingot/')) return undefined;
  const other = target.split('/')[1] ?? '';
  const otherFloor = floors[other];
  if (otherFloor === undefined) return 'a package without a floor';
  return otherFloor < floor
    ? undefined
    : `which is not on a lower floor (${other} is on ${otherFloor}, ${name} on ${floor})`;
}
