import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CliExit, runCli } from '@ingot/cli';
import { ExitCode, loadConfig, type ConfigDefinition } from '@ingot/daemon';
import { bootServerConfig } from '@ingot/boot-server';
import { apiServerConfig } from '@ingot/api-server';
import { planDhcp } from '../../packages/boot-server/src/dhcp/plan.ts';
import { constantsIn, numbersOf, quantities } from './limits.ts';
import { codeSpans, section, tableRows } from './markdown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const doc = (name: string): string => read(`docs/${name}`);

/** Source files without generated ones. */
const sources = (glob: string): string[] =>
  globSync(glob, { cwd: root })
    .filter((path) => !path.includes('/gen/'))
    .toSorted();
/** Pages of the operating guide, below `docs`. */
const OPERATING = globSync('operating/*.md', { cwd: join(root, 'docs') }).toSorted();
const text = (glob: string): string => sources(glob).map(read).join('\n');

const found = (source: string, pattern: RegExp): string[] =>
  [...source.matchAll(pattern)].map((match) => match.slice(1).find((group) => group !== undefined) ?? '');
const literals = (source: string): string[] => found(source, /'([^']+)'/g);
/** The members of a union of string literals. */
const union = (source: string, name: string): string[] =>
  literals(new RegExp(`type ${name} =[^;]*;`).exec(source)?.[0] ?? '');
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].toSorted();

/** What the first column of the tables under a heading holds in code spans. */
function documented(name: string, heading: string): string[] {
  return tableRows(section(doc(name), heading)).flatMap(([first = '']) => codeSpans(first));
}

async function exportsOf(path: string): Promise<Readonly<Record<string, unknown>>> {
  const module: unknown = await import(pathToFileURL(join(root, path)).href);
  return Object.fromEntries(Object.entries(module ?? {}));
}

/** Codes of a package's `errors.ts`: the values of its const objects, or the members of a union. */
async function codesOf(path: string): Promise<string[]> {
  const values = Object.entries(await exportsOf(path)).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null) return [];
    // gRPC's codes are numbers on the wire and names everywhere else.
    if (name === 'Code') return Object.keys(value);
    return name.endsWith('ErrorCode') ? Object.values(value).map(String) : [];
  });
  return values.length > 0 ? values : literals(/type \w+ErrorCode =[^;]*;/.exec(read(path))?.[0] ?? '');
}

describe('docs/errors.md', () => {
  test.each(sources('packages/*/src/errors.ts').map((path) => [path.split('/')[1] ?? '', path]))(
    'has the codes of %s, and no others',
    async (name, path) => {
      const codes = await codesOf(path);
      expect(codes).not.toEqual([]);
      const own = section(doc('errors.md'), `\`${name}\``).split('\n### ')[0] ?? '';
      expect(sorted(tableRows(own).flatMap(([first = '']) => codeSpans(first)))).toEqual(sorted(codes));
    },
  );

  test('has the exit codes', () => {
    const numbers = (codes: object): string[] => sorted(Object.values(codes).map(String));
    expect(sorted(documented('errors.md', 'Exit codes of the daemons'))).toEqual(numbers(ExitCode));
    expect(sorted(documented('errors.md', 'Exit codes of `ingot`'))).toEqual(numbers(CliExit));
  });

  const all = text('packages/boot-server/src/**/*.ts');
  const dropped = (service: string): string[] =>
    found(all, new RegExp(`metrics\\.drop\\('${service}', '([\\w-]+)'\\)`, 'g'));
  const unparsed = literals(
    /readonly reason: '[^;]*;/.exec(read('packages/boot-server/src/dhcp/request.ts'))?.[0] ?? '',
  );
  const nothingToBoot = literals(/kind: 'ignore';\s+readonly reason:([^}]*)}/.exec(all)?.[1] ?? '');
  const refusals = [...union(all, 'NonceRefusal'), ...union(all, 'RenewalRefusal'), 'wrong-source'];
  const routes = text('packages/boot-server/src/http/*.ts');
  const pxe = text('packages/boot-server/src/pxe/*.ts');
  const tftp = text('packages/boot-server/src/tftp/*.ts');
  const later = found(routes, /later\('([\w-]+)'/g);
  const answers = found(routes, /'(api-[a-z]+)'/g);
  const relay = text('packages/switch-agent/src/relay/*.ts');
  const reasons: readonly (readonly [string, readonly string[]])[] = [
    ['DHCP packets that the relay drops', [...union(relay, 'RequestRefusal'), ...union(relay, 'ReplyRefusal')]],
    ['Dropped DHCP packets', [...union(all, 'DhcpDropReason'), ...dropped('dhcp')]],
    ['Dropped DHCPv6 packets', [...union(all, 'Dhcp6DropReason'), ...dropped('dhcp6')]],
    [
      'Dropped PXE packets',
      [
        ...found(pxe, /reason: '([\w-]+)'/g),
        ...found(pxe, /boot\.reason : '([\w-]+)'/g),
        ...unparsed,
        ...nothingToBoot,
        ...dropped('pxe'),
      ],
    ],
    [
      'Dropped TFTP requests',
      [
        ...found(tftp, /\bdrop\('([\w-]+)'\)/g),
        ...found(tftp, /\brefuse\([\w.]+, '([\w-]+)'/g),
        ...found(tftp, /reason: '([\w-]+)'/g),
        ...dropped('tftp'),
      ],
    ],
    [
      'Dropped and refused HTTP requests',
      [
        ...dropped('http'),
        ...union(all, 'NonceRefusal'),
        ...union(all, 'RenewalRefusal'),
        ...union(all, 'AdmissionRefusal'),
        ...union(all, 'FileRefusal'),
        ...union(all, 'ScriptRefusal'),
        ...found(routes, /\brefuse\((?:\d+, )?'([\w-]+)'/g),
        ...later,
        ...answers,
      ],
    ],
  ];
  test.each(reasons)('has the reasons of: %s', (heading, expected) => {
    expect(expected.length).toBeGreaterThan(8);
    expect(sorted(documented('errors.md', heading))).toEqual(sorted(expected));
  });

  test('marks what the boot server warns of, and what refuses a configuration', () => {
    const marked = (heading: string, mark: string): string[] =>
      tableRows(section(doc('errors.md'), heading)).flatMap(([first = '', second = '']) =>
        second.startsWith(mark) ? codeSpans(first) : [],
      );
    const loud = literals(/const LOUD[^;]*;/.exec(read('packages/boot-server/src/dhcp/outcome-log.ts'))?.[0] ?? '');
    expect(sorted(marked('Dropped DHCP packets', '⚠'))).toEqual(sorted(loud));
    const loud6 = literals(/const LOUD[^;]*;/.exec(read('packages/boot-server/src/dhcpv6/outcome-log.ts'))?.[0] ?? '');
    expect(sorted(marked('Dropped DHCPv6 packets', '⚠'))).toEqual(sorted(loud6));
    expect(sorted(marked('Dropped and refused HTTP requests', '✗'))).toEqual(sorted(refusals));
  });

  test('has the codes of HTTP answers', () => {
    const underscored = [...refusals, ...union(all, 'FileRefusal'), ...later, ...answers].map((reason) =>
      reason.replaceAll('-', '_'),
    );
    const artifacts = found(all, /'(BOOT_ARTIFACT_\w+)'/g);
    expect(sorted(documented('errors.md', 'HTTP errors'))).toEqual(
      sorted([...found(routes, /sendError\(\s*request,\s*\d+,\s*'([\w-]+)'/g), ...underscored, ...artifacts]),
    );
  });
});

describe('docs/architecture.md', () => {
  test('has the folders of the boot server', () => {
    const folders = globSync('packages/boot-server/src/*/', { cwd: root }).map((path) => basename(path));
    expect(folders.length).toBeGreaterThan(20);
    expect(sorted(documented('architecture.md', 'Inside the boot server'))).toEqual(sorted(folders));
  });
});

interface Limit {
  readonly limit: string;
  readonly value: string;
  /** `file` and constant, or `setting` and path, as the row has them. */
  readonly where: string;
  /** Folder of the files of its section. */
  readonly folder: string;
}

function limits(): Limit[] {
  return doc('limits.md')
    .split('\n## ')
    .slice(1)
    .flatMap((part) => {
      const folder = /in `([\w/-]+)`/.exec(part)?.[1] ?? '';
      return tableRows(part).map(([limit = '', value = '', where = '']) => ({ limit, value, where, folder }));
    });
}

/** Constants by their file: `file.ts` NAME OTHER, other.ts NAME → [file, NAME], [file, OTHER], [other, NAME]. */
function references({ where, folder }: Limit): (readonly [string, string])[] {
  let file = '';
  return codeSpans(where.replaceAll(/setting `[^`]*`/g, '')).flatMap((span) => {
    if (/\.(?:ts|service)$/.test(span)) {
      file = span;
      return [];
    }
    return globSync(`${folder}/${file}`, { cwd: root }).map((path) => [path, span] as const);
  });
}

/** Numbers that are no limit of their own: units of time, lengths that a format or the kernel fixes. */
const NO_LIMITS: ReadonlySet<string> = new Set([
  'DAY_MS',
  'HOUR_MS',
  'MINUTE_MS',
  'FAMILY_BYTES',
  'PATH_BYTES',
  'MAC_BYTES',
  'SHA256_BYTES',
  'KEY_ID_BYTES',
  'IV_BYTES',
  'TAG_BYTES',
  'EXPIRY_BYTES',
  'hourMs',
  'attributeBytes',
]);

describe('docs/limits.md', () => {
  test.each(limits().map((limit) => [limit.limit, limit] as const))('has the right number: %s', (_name, limit) => {
    const stated = quantities(limit.value);
    const actual = [
      ...[...limit.where.matchAll(/setting `([^`]*)`/g)].map(([, path = '']) =>
        numbersOf(text(`${limit.folder}/config{.ts,/*.ts}`), path, 'setting'),
      ),
      ...references(limit).map(([path, name]) => numbersOf(read(path), name, 'constant')),
    ];
    expect(actual.length).toBeGreaterThan(0);
    // One value may stand for several constants; otherwise each has its own, in the same order.
    expect(actual).toEqual(stated.length === 1 ? actual.map(() => stated[0]) : stated);
  });

  test('misses no constant', () => {
    const known = new Set(limits().flatMap((limit) => references(limit).map(([path, name]) => `${path} ${name}`)));
    const packages = [
      'api',
      'api-server',
      'bmc-agent',
      'boot-server',
      'cli',
      'daemon',
      'discovery-agent',
      'switch-agent',
    ];
    const missing = packages
      .flatMap((name) => sources(`packages/${name}/src/**/*.ts`))
      .flatMap((path) => constantsIn(read(path)).map((name) => [path, name] as const))
      .filter(([path, name]) => !NO_LIMITS.has(name) && !known.has(`${path} ${name}`));
    expect(missing.map((entry) => entry.join(' '))).toEqual([]);
  });
});

describe('docs/operating', () => {
  const guide = OPERATING.map(doc).join('\n');
  const whole = [...guide.matchAll(/```yaml\n# part: ([\w-]+)\n([^`]*)```/g)].map(
    ([, part = '', yaml = '']) => [part, yaml] as const,
  );
  /** A section alone is tried at the end of the part's first whole file. */
  const sections = [...guide.matchAll(/```yaml\n# part: ([\w-]+), section\n([^`]*)```/g)].map(
    ([, part = '', yaml = '']) => [part, `${whole.find(([each]) => each === part)?.[1] ?? ''}${yaml}`] as const,
  );
  const examples = [...whole, ...sections];

  test('shows a configuration of every part', () => {
    expect(sorted(examples.map(([part]) => part))).toEqual(['api-server', 'bmc-agent', 'boot-server', 'switch-agent']);
    expect(guide.match(/```yaml/g)).toHaveLength(examples.length);
  });

  test.each(examples)('shows a configuration that %s takes', async (part, yaml) => {
    const definition = await definitionOf(part);
    const loaded = await loadConfig(definition, {
      argv: ['--config', 'example.yaml'],
      env: {},
      readText: () => Promise.resolve(yaml),
    });
    expect(loaded.kind === 'error' ? loaded.error.message : loaded.kind).toBe('config');
  });

  test.each(examples.filter(([part]) => part === 'boot-server'))(
    'shows a %s whose settings go together',
    async (_part, yaml) => {
      const loaded = await loadConfig(bootServerConfig, {
        argv: ['--config', 'example.yaml'],
        env: {},
        readText: () => Promise.resolve(yaml),
      });
      if (loaded.kind !== 'config') throw new Error(`it loads as ${loaded.kind}`);
      expect(planDhcp(loaded.config).subnets).toHaveLength(2);
    },
  );

  const commands = [...`${guide}\n${doc('cli.md')}`.matchAll(/^bin\/ingot (.*)$/gm)].map(
    ([, line = '']) => [line] as const,
  );
  test.each(commands)('shows flags that there are: ingot %s', async (line) => {
    const words = line.split(' ');
    const firstFlag = words.findIndex((word) => word.startsWith('-'));
    const help = await helpOf(firstFlag < 0 ? words : words.slice(0, firstFlag));
    for (const flag of words.filter((word) => word.startsWith('--'))) expect(help).toContain(`${flag} `);
    expect(help).toContain(`Usage: ingot ${words.slice(0, firstFlag < 0 ? 2 : Math.min(2, firstFlag)).join(' ')}`);
  });

  test('has the metrics', () => {
    const names = found(text('packages/*/src/**/*.ts'), /name: '(ingot_\w+)'/g);
    expect(sorted(documented('operating/watching.md', 'Watching').filter((name) => name.startsWith('ingot_')))).toEqual(
      sorted(names),
    );
  });

  test('has the events of the boot log', () => {
    const source = text('packages/boot-server/src/**/*.ts');
    const dhcp = [
      ...literals(/readonly reply: ([^;]*);/.exec(source)?.[1] ?? ''),
      ...literals(/kind: 'done'; readonly what: ([^;]*);/.exec(source)?.[1] ?? ''),
    ];
    expect(dhcp).toHaveLength(6);
    expect(sorted(documented('operating/watching.md', 'The boot log'))).toEqual(
      sorted([...found(source, /event: '([\w.-]+)'/g), ...dhcp.map((what) => `dhcp.${what}`)]),
    );
  });

  test('has the readiness checks', () => {
    const names = found(text('packages/*/src/**/*.ts'), /health\.(?:set|check)\('(\w+)'/g);
    for (const name of [...names, 'started']) expect(guide).toContain(`\`${name}\``);
  });
});

/** The definition of a part's configuration; the switch agent's is not one of this project's dependencies. */
async function definitionOf(part: string): Promise<ConfigDefinition<unknown>> {
  if (part === 'api-server') return apiServerConfig;
  if (part === 'boot-server') return bootServerConfig;
  const exported = Object.values(await exportsOf(`packages/${part}/src/config.ts`)).find(isDefinition);
  if (exported === undefined) throw new Error(`packages/${part}/src/config.ts exports no configuration`);
  return exported;
}

function isDefinition(value: unknown): value is ConfigDefinition<unknown> {
  return typeof value === 'object' && value !== null && 'schema' in value && 'name' in value;
}

async function helpOf(command: readonly string[]): Promise<string> {
  let help = '';
  await runCli([...command.filter((word) => !word.startsWith('<')), '--help'], {
    stdout: (words) => {
      help += words;
    },
    stderr: (words) => {
      help += words;
    },
    env: {},
    home: '/nowhere',
    labConfigFile: '/nowhere',
    now: () => 0,
  });
  return help;
}

describe('docs/cli.md', () => {
  const rows = tableRows(section(doc('cli.md'), 'What there is')).flatMap(([first = '', second = '']) =>
    codeSpans(first).map((word) => [word, codeSpans(second)] as const),
  );

  test.each(rows)('has what can be done with %s', async (word, actions) => {
    const below = (await helpOf([word])).split('\nCommands:\n')[1] ?? '';
    // Words of a command begin two blanks in, its description further on.
    const there = found(below, /^ {2}([a-z-]+)(?:\||\s|$)/gm);
    expect(sorted(actions)).toEqual(sorted(there));
  });

  test('has every word that asks the API server', async () => {
    const help = await helpOf([]);
    const groups = ['Ask the API server:', 'This command line:'];
    const there = groups.flatMap((group) =>
      found(help.split(`\n${group}\n`)[1]?.split('\n\n')[0] ?? '', /^ {2}([a-z-]+)/gm),
    );
    expect(sorted(rows.map(([word]) => word))).toEqual(sorted(there));
  });
});

test.each(['cli.md', 'errors.md', 'limits.md', ...OPERATING])('links of docs/%s lead somewhere', (name) => {
  const links = [...doc(name).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)];
  expect(links).not.toEqual([]);
  for (const [link, path = '', anchor] of links) {
    const target = path === '' ? `docs/${name}` : join(dirname(`docs/${name}`), path);
    expect(existsSync(join(root, target)), `${link} in ${basename(name)}`).toBe(true);
    if (anchor !== undefined) expect(anchors(read(target)), link).toContain(anchor);
  }
});

/** As GitHub makes them of headings. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  );
}
