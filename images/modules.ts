/** Picks kernel modules with everything they depend on, and writes the index files that `modprobe` reads. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { moduleInfo, withoutModuleSignature } from './elf.ts';
import type { CpioEntry } from './cpio.ts';

interface Module {
  readonly path: string;
  readonly data: Buffer;
  readonly dependencies: readonly string[];
  readonly aliases: readonly string[];
  readonly firmware: readonly string[];
}

export interface PickedModules {
  /** Entries below `usr/lib/modules/<version>`. */
  readonly entries: readonly CpioEntry[];
  /** Files below /lib/firmware that a module says it may ask for, by module. */
  readonly firmware: ReadonlyMap<string, readonly string[]>;
}

/** `iTCO-wdt.ko` and `iTCO_wdt` are one module: the kernel treats `-` and `_` alike. */
const canonical = (name: string): string => name.replaceAll('-', '_');

/**
 * @param root the directory that holds `lib/modules/<version>` of the unpacked kernel package
 * @param wanted module names
 * @throws Error naming a module that the kernel neither has nor has built in
 */
export function pickModules(root: string, version: string, wanted: readonly string[]): PickedModules {
  const directory = join(root, 'lib/modules', version);
  const index = new Map(
    readdirSync(join(directory, 'kernel'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ko'))
      .map((path) => [canonical(basename(path, '.ko')), `kernel/${path}`]),
  );
  const builtin = new Set(
    readFileSync(join(directory, 'modules.builtin'), 'utf8')
      .split('\n')
      .map((line) => canonical(basename(line, '.ko'))),
  );

  const chosen = new Map<string, Module>();
  const visit = (name: string, wantedBy: string): void => {
    if (chosen.has(name) || builtin.has(name)) return;
    const path = index.get(name);
    if (path === undefined) throw new Error(`kernel ${version} has no module "${name}" (wanted by ${wantedBy})`);
    const data = withoutModuleSignature(readFileSync(join(directory, path)));
    const info = moduleInfo(data);
    const values = (key: string): string[] => info.filter((entry) => entry.key === key).map((entry) => entry.value);
    const soft = values('softdep')
      .flatMap((line) => /pre:\s*([^:]*?)(?:\s+post:|$)/.exec(line)?.[1]?.split(/\s+/) ?? [])
      .map(canonical)
      .filter((dependency) => index.has(dependency));
    const hard = values('depends').flatMap((line) => line.split(',').filter((item) => item !== ''));
    const dependencies = [...hard.map(canonical), ...soft].filter((dependency) => !builtin.has(dependency));
    for (const dependency of dependencies) visit(dependency, name);
    chosen.set(name, { path, data, dependencies, aliases: values('alias'), firmware: values('firmware') });
  };
  for (const name of wanted) visit(canonical(name), 'the list in contents.ts');

  // modprobe loads the end of a line of modules.dep first: whatever a module needs must stand further right.
  const dependenciesOf = (name: string): string[] => {
    const order: string[] = [];
    const add = (dependency: string): void => {
      for (const deeper of chosen.get(dependency)?.dependencies ?? []) if (!order.includes(deeper)) add(deeper);
      if (dependency !== name) order.push(dependency);
    };
    add(name);
    return order.toReversed();
  };
  const names = [...chosen.keys()].sort();
  const pathOf = (name: string): string => chosen.get(name)?.path ?? '';
  const dep = names.map((name) => `${pathOf(name)}: ${dependenciesOf(name).map(pathOf).join(' ')}`.trimEnd());
  const alias = names.flatMap((name) => (chosen.get(name)?.aliases ?? []).map((line) => `alias ${line} ${name}`));

  const base = `usr/lib/modules/${version}`;
  const files: CpioEntry[] = names.map((name) => ({
    kind: 'file',
    path: `${base}/${pathOf(name)}`,
    data: chosen.get(name)?.data ?? Buffer.alloc(0),
  }));
  const text = (name: string, lines: readonly string[]): CpioEntry => ({
    kind: 'file',
    path: `${base}/${name}`,
    data: Buffer.from(`${lines.join('\n')}\n`),
  });
  return {
    entries: [...files, text('modules.dep', dep), text('modules.alias', alias), text('modules.builtin', [])],
    firmware: new Map(
      names.flatMap((name) => {
        const wants = chosen.get(name)?.firmware ?? [];
        return wants.length === 0 ? [] : [[name, wants] as const];
      }),
    ),
  };
}
