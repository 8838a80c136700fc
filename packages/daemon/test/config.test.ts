import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, type LoadedConfig } from '../src/index.ts';
import { exampleConfig, type ExampleConfig } from './example-config.ts';

const MINIMAL = 'partition: lab\ndhcp: {}\n';

function load(
  text: string,
  argv: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<LoadedConfig<ExampleConfig>> {
  return loadConfig(exampleConfig, { argv, env, file: 'example.yaml', readText: async () => text });
}

async function config(text: string, argv?: readonly string[], env?: Record<string, string>): Promise<ExampleConfig> {
  const loaded = await load(text, argv, env);
  if (loaded.kind !== 'config') throw new Error(`not a configuration: ${JSON.stringify(loaded)}`);
  return loaded.config;
}

async function problems(text: string, argv?: readonly string[], env?: Record<string, string>): Promise<string[]> {
  const loaded = await load(text, argv, env);
  if (loaded.kind !== 'error') throw new Error(`not an error: ${loaded.kind}`);
  return loaded.error.message.split('\n');
}

describe('sources', () => {
  it('fill in the defaults', async () => {
    expect(await config(MINIMAL)).toEqual({
      partition: 'lab',
      verbose: false,
      dhcp: { listen: ['0.0.0.0:67'], leaseSeconds: 600, mode: 'server', subnets: [] },
      api: {},
      ports: [],
      logLevel: 'info',
    });
  });

  it('rank: flags over environment over file', async () => {
    const file = 'partition: file\ndhcp: {leaseSeconds: 100, mode: proxy}\nverbose: false\n';
    const env = { INGOT_EXAMPLE_PART_PARTITION: 'env', INGOT_EXAMPLE_PART_DHCP_LEASE_SECONDS: '200' };
    const loaded = await config(file, ['--dhcp-lease-seconds=300'], env);
    expect(loaded.partition).toBe('env');
    expect(loaded.dhcp.leaseSeconds).toBe(300);
    expect(loaded.dhcp.mode).toBe('proxy');
  });

  it('need no file at all', async () => {
    const loaded = await loadConfig(exampleConfig, {
      argv: ['--partition', 'lab', '--dhcp-mode', 'proxy'],
      env: {},
      readText: () => Promise.reject(new Error('nothing to read')),
    });
    expect(loaded).toMatchObject({ kind: 'config', config: { partition: 'lab', dhcp: { mode: 'proxy' } } });
  });

  it('take the file from --config, then from INGOT_<PART>_CONFIG', async () => {
    const env = { INGOT_EXAMPLE_PART_CONFIG: 'env.yaml' };
    const readText = async (path: string): Promise<string> => `partition: ${path}\ndhcp: {}\n`;
    const byFlag = await loadConfig(exampleConfig, { argv: ['--config', 'flag.yaml'], env, readText });
    const byEnv = await loadConfig(exampleConfig, { argv: [], env, readText });
    expect([byFlag, byEnv]).toMatchObject([
      { config: { partition: 'flag.yaml' } },
      { config: { partition: 'env.yaml' } },
    ]);
  });

  it('read lists as commas, nested lists as JSON, numbers and booleans as such', async () => {
    const loaded = await config(MINIMAL, [
      '--dhcp-listen',
      '10.0.0.1:67, 10.0.0.2:67',
      '--ports=1,2',
      '--verbose',
      '--dhcp-subnets',
      '[{"subnet":"10.0.1.0/24"}]',
    ]);
    expect(loaded.dhcp.listen).toEqual(['10.0.0.1:67', '10.0.0.2:67']);
    expect(loaded.ports).toEqual([1, 2]);
    expect(loaded.verbose).toBe(true);
    expect(loaded.dhcp.subnets).toEqual([{ subnet: '10.0.1.0/24' }]);
  });

  it('switch a boolean off by --no-', async () => {
    expect((await config(`${MINIMAL}verbose: true\n`, ['--no-verbose'])).verbose).toBe(false);
  });

  it('read an empty list from an empty text', async () => {
    expect((await config(MINIMAL, [], { INGOT_EXAMPLE_PART_DHCP_LISTEN: '' })).dhcp.listen).toEqual([]);
  });

  it('warn about a variable that is no setting, and go on', async () => {
    const loaded = await load(MINIMAL, [], { INGOT_EXAMPLE_PART_PARTITON: 'x', INGOT_OTHER_PART_X: 'y' });
    expect(loaded).toMatchObject({
      kind: 'config',
      warnings: ['INGOT_EXAMPLE_PART_PARTITON is no setting; did you mean INGOT_EXAMPLE_PART_PARTITION?'],
    });
  });

  it('collect the secret texts for the log', async () => {
    const loaded = await load(`${MINIMAL}api: {adminPassword: correct horse}\n`);
    expect(loaded).toMatchObject({ kind: 'config', secrets: ['correct horse'] });
  });
});

describe('problems', () => {
  it('name file, line, column, path, what was found, and what to write', async () => {
    expect(await problems('partition: lab\ndhcp:\n  leaseSeconds: soon\n')).toEqual([
      'example.yaml:3:17: dhcp.leaseSeconds: found "soon"; write a number',
    ]);
  });

  it('are reported all at once', async () => {
    const text =
      'partition: 5\ndhcp:\n  mode: servr\n  leaseSeconds: 10\n  listen: [10.0.0.1]\n  subnets: [{subnet: 10.0.1.0}]\n';
    expect(await problems(text)).toEqual([
      'example.yaml:1:12: partition: found 5; write a text',
      'example.yaml:5:12: dhcp.listen[0]: found "10.0.0.1"; write address:port with a literal IP address, as 127.0.0.1:2113 or [::1]:2113, or unix:/path',
      'example.yaml:4:17: dhcp.leaseSeconds: found 10; write at least 60',
      'example.yaml:3:9: dhcp.mode: found "servr"; write one of server, proxy',
      'example.yaml:6:22: dhcp.subnets[0].subnet: found "10.0.1.0"; write an IPv4 subnet, as 10.0.1.0/24',
    ]);
  });

  it('point at the mapping in which a key is missing', async () => {
    expect(await problems('partition: lab\ndhcp:\n  subnets:\n    - pool: a-b\n')).toEqual([
      'example.yaml:4:7: dhcp.subnets[0].subnet: is missing; write a text',
    ]);
  });

  it('suggest the key that was meant, at every depth', async () => {
    const text = 'partition: lab\ndhcp:\n  listn: []\n  subnets: [{subnet: 10.0.1.0/24, Pool: x}]\nwhatever: 1\n';
    expect(await problems(text)).toEqual([
      'example.yaml:3:3: dhcp.listn: unknown key; did you mean "listen"?',
      'example.yaml:4:35: dhcp.subnets[0].Pool: unknown key; did you mean "pool"?',
      expect.stringMatching(/^example\.yaml:5:1: whatever: unknown key; write one of partition, verbose, /),
    ]);
  });

  it('name the variable or the flag that is wrong', async () => {
    const env = { INGOT_EXAMPLE_PART_DHCP_LEASE_SECONDS: 'soon', INGOT_EXAMPLE_PART_DHCP_SUBNETS: '10.0.1.0/24' };
    expect(await problems(MINIMAL, ['--verbose=maybe'], env)).toEqual([
      'INGOT_EXAMPLE_PART_DHCP_SUBNETS: dhcp.subnets: found "10.0.1.0/24"; write JSON, as [{"key": "value"}]',
      '--verbose: verbose: found "maybe"; write true or false',
      'INGOT_EXAMPLE_PART_DHCP_LEASE_SECONDS: dhcp.leaseSeconds: found "soon"; write a number',
    ]);
  });

  it('never show a secret', async () => {
    const lines = await problems(`${MINIMAL}api: {adminPassword: hunter2}\n`);
    expect(lines).toEqual([
      'example.yaml:3:22: api.adminPassword: found a value that is not shown; write at least 8 characters',
    ]);
  });

  it('name the place where YAML breaks, without quoting the file', async () => {
    const lines = await problems('partition: lab\napi: {adminPassword: "hunter2\n');
    expect(lines[0]).toMatch(/^example\.yaml:\d+:\d+: not YAML: /);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('name a key that stands twice', async () => {
    expect((await problems('partition: a\npartition: b\n'))[0]).toMatch(/^example\.yaml:2:1: not YAML: .*unique/);
  });

  it.each(['- a\n- b\n', 'just a text', '42'])('refuse the file %j that is no mapping', async (text) => {
    expect((await problems(text))[0]).toMatch(/^example\.yaml:1:1: found .*; write a mapping/);
  });

  it('refuse aliases that expand without end', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((name, index) => {
        const before = 'abcdef'[index];
        return `${name}: &${name} [*${before},*${before},*${before},*${before},*${before},*${before},*${before},*${before},*${before}]`;
      }),
    ].join('\n');
    expect((await problems(bomb))[0]).toMatch(/^example\.yaml: .*alias/i);
  });

  it('say that the file cannot be read', async () => {
    const loaded = await loadConfig(exampleConfig, { argv: ['--config', '/nonexistent/x.yaml'], env: {} });
    expect(loaded).toMatchObject({ kind: 'error', exitCode: 78, error: { code: 'DAEMON_CONFIG' } });
    expect(loaded.kind === 'error' && loaded.error.message).toMatch(
      /^\/nonexistent\/x\.yaml: cannot read the configuration: ENOENT/,
    );
  });

  it.each([
    [['--dhcp-listn', 'x'], '--dhcp-listn: unknown flag; did you mean --dhcp-listen?'],
    [['start'], 'start: unexpected argument; settings are written --flag VALUE, see --help'],
    [['rack.yaml'], 'rack.yaml: unexpected argument; write --config rack.yaml, see --help'],
    [
      ['-c', 'rack.yaml'],
      '-c: unknown flag; did you mean --config?\nrack.yaml: unexpected argument; write --config rack.yaml, see --help',
    ],
    [['--partition'], '--partition: needs a value; write --partition VALUE'],
    [['--partition', '--verbose'], '--partition: needs a value; write --partition VALUE'],
    [
      ['--api-admin-password', 'correct horse'],
      '--api-admin-password: api.adminPassword: a command line is visible to every user of this machine; set INGOT_EXAMPLE_PART_API_ADMIN_PASSWORD or write it into the file',
    ],
  ])('of usage: %j', async (argv, words) => {
    expect(await load(MINIMAL, argv)).toMatchObject({ kind: 'error', exitCode: 64, error: { message: words } });
  });
});

describe('--print-config', () => {
  it('prints a file that loads to the same configuration, but for the secrets', async () => {
    const text = `${MINIMAL}api: {adminPassword: correct horse, tokenFile: /run/token}\n`;
    const printed = await load(text, ['--print-config', '--ports', '7']);
    if (printed.kind !== 'print') throw new Error(printed.kind);
    expect(printed.text).not.toContain('correct horse');
    expect(parse(printed.text)).toEqual({
      ...(await config(text)),
      ports: [7],
      api: { adminPassword: '[redacted]', tokenFile: '/run/token' },
    });
    expect(await config(printed.text)).toMatchObject({ partition: 'lab', ports: [7] });
  });
});

describe('--help', () => {
  it('lists every setting with its names, description and default, and no flag for a secret', async () => {
    const help = await load('not: [even: yaml', ['--help']);
    if (help.kind !== 'help') throw new Error(help.kind);
    expect(help.text).toContain('Usage: ingot example-part [--config FILE]');
    expect(help.text).toContain('Shows how a part is configured.');
    // What is said of a setting fits a terminal of 80 columns, and nothing of it is lost.
    const said = help.text.split('\n').filter((line) => line.startsWith('      '));
    expect(said.filter((line) => line.length > 80)).toEqual([]);
    expect(said.join(' ').replaceAll(/\s+/g, ' ')).toContain('in brackets; also INGOT_EXAMPLE_PART_CONFIG print the');
    expect(help.text).toContain(
      [
        '  --dhcp-listen A,B,...  [dhcp.listen] INGOT_EXAMPLE_PART_DHCP_LISTEN',
        '      addresses to listen on; default: ["0.0.0.0:67"]',
        '  --dhcp-lease-seconds NUMBER  [dhcp.leaseSeconds] INGOT_EXAMPLE_PART_DHCP_LEASE_SECONDS',
        '      how long a lease lasts, seconds; default: 600',
        '  --dhcp-mode server|proxy  [dhcp.mode] INGOT_EXAMPLE_PART_DHCP_MODE',
        '      default: "server"',
      ].join('\n'),
    );
    expect(help.text).toContain('  [api.adminPassword] INGOT_EXAMPLE_PART_API_ADMIN_PASSWORD, secret: no flag');
    expect(help.text).toContain('--metrics TEXT');
  });
});
