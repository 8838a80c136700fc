import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { diffConfigDb } from '../../src/config-db/diff-config-db.ts';
import { jsonPatchOf, type PatchStep } from '../../src/config-db/json-patch.ts';
import { printConfigDb } from '../../src/config-db/print-config-db.ts';
import { generateCommand } from '../../src/generate/generate-command.ts';
import { summarise } from '../../src/generate/reload-needs.ts';
import { portsCommand } from '../../src/port-names/ports-command.ts';
import { testSwitch, writeSwitch } from '../platforms/platforms.ts';

const YAML = 'bgp_ports: [Ethernet120]\nvlans: [{id: 4000, untagged_ports: [Ethernet0]}]\n';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-generate-'));
  await writeSwitch(root, testSwitch('as7726'));
  await writeFile(join(root, 'sonic-config.yaml'), YAML);
});
afterEach(() => rm(root, { recursive: true }));

const at = (path: string): string => join(root, path);

async function run(command: typeof generateCommand, args: readonly string[]) {
  const printed = { out: '', err: '' };
  const status = await command(args, {
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    env: {},
    signal: new AbortController().signal,
  });
  return { status, ...printed };
}

const generate = (...args: readonly string[]) => {
  const places = {
    '-i': 'sonic-config.yaml',
    '-e': 'etc/sonic/sonic-environment',
    '-v': 'etc/sonic/sonic_version.yml',
    '--device-dir': 'usr/share/sonic/device',
    '--mac-file': 'sys/class/net/eth0/address',
    '--init-file': 'etc/sonic/init_cfg.json',
  };
  return run(generateCommand, [...Object.entries(places).flatMap(([option, path]) => [option, at(path)]), ...args]);
};

describe('ingot-switch generate', () => {
  test('prints the configuration', async () => {
    const { status, out, err } = await generate();
    expect([status, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({
      DEVICE_METADATA: { localhost: { mac: '02:00:00:00:00:01', platform: 'x86_64-accton_as7726_32x-r0' } },
      INTERFACE: { Ethernet120: { ipv6_use_link_local_only: 'enable' } },
    });
  });

  test('names every problem of the YAML, and prints nothing', async () => {
    await writeFile(at('sonic-config.yaml'), 'vlans:\n  - id: 9\n    untaged_ports: []\nbgp_port: []\n');
    const { status, out, err } = await generate();
    expect([status, out]).toEqual([2, '']);
    expect(err).toBe(
      [
        `${at('sonic-config.yaml')}:3:5: vlans[0].untaged_ports: unknown key; did you mean "untagged_ports"?`,
        `${at('sonic-config.yaml')}:4:1: bgp_port: unknown key; did you mean "bgp_ports"?`,
        '',
      ].join('\n'),
    );
  });

  test('says so when the version file tells nothing, and takes what it is told', async () => {
    await rm(at('etc/sonic/sonic_version.yml'));
    expect((await generate()).err).toContain('names no known SONiC; taken for community-202511');
    const { out, err } = await generate('--distribution', 'edgecore-202111');
    expect(err).toBe('');
    expect(out).not.toContain('subport');
  });

  test.each([
    [['--distribution', 'centos'], 'there is no distribution centos; write one of community-202311'],
    [['--patch'], '--patch goes with --diff'],
    [['--keep'], '--keep goes with --diff, --apply or -o'],
    [['--beside-run'], '--beside-run goes with --diff, --apply or -o'],
    [['--dif', 'x'], "Unknown option '--dif'"],
    [['--diff', '/nonexistent'], '/nonexistent cannot be read'],
    [['-i', '/nonexistent'], '/nonexistent cannot be read (ENOENT'],
    [['--mac-file', '/dev/null'], '/dev/null has no MAC address'],
  ])('%j is refused', async (args, words) => {
    const { status, out, err } = await generate(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  test('explains itself', async () => {
    expect(await generate('--help')).toMatchObject({ status: 0, out: expect.stringContaining('--apply'), err: '' });
  });
});

describe('generate --diff', () => {
  test('finds nothing between a configuration and what it was made of', async () => {
    await generate('-o', at('saved.json'));
    expect(await generate('--diff', at('saved.json'))).toEqual({ status: 0, out: 'no difference\n', err: '' });
  });

  test('lists what comes, goes and changes, and what each table needs', async () => {
    await generate('-o', at('saved.json'));
    await writeFile(
      at('sonic-config.yaml'),
      'ports: {list: [{name: Ethernet120, mtu: 1500}]}\nlldp_hello_time: 10\nbgp_ports: [Ethernet120]\n',
    );
    const { status, out } = await generate('--diff', at('saved.json'));
    expect(status).toBe(1);
    expect(out).toBe(
      `+ LLDP|GLOBAL
  + hello_time: 10
~ PORT|Ethernet120
  - mtu: 9000
  + mtu: 1500
- VLAN|Vlan4000
- VLAN_INTERFACE|Vlan4000
- VLAN_MEMBER|Vlan4000|Ethernet0
LLDP            1 added: needs systemctl restart lldp
PORT            1 changed: taken while running
VLAN            1 removed: taken while running
VLAN_INTERFACE  1 removed: taken while running
VLAN_MEMBER     1 removed: taken while running
No reload is needed, but: systemctl restart lldp
`,
    );
  });

  test('does not take for removed what SONiC puts below every configuration, nor the version of its schema', async () => {
    await generate('-o', at('saved.json'));
    const saved: ConfigDb = JSON.parse(await readFile(at('saved.json'), 'utf8'));
    const init = { CRM: { Config: { polling_interval: '300' } }, FEATURE: { snmp: { state: 'enabled' } } };
    await writeFile(at('etc/sonic/init_cfg.json'), JSON.stringify(init));
    const onSwitch = { ...saved, ...init, VERSIONS: { DATABASE: { VERSION: 'version_202511_01' } } };
    await writeFile(at('saved.json'), printConfigDb(onSwitch));
    expect(await generate('--diff', at('saved.json'))).toMatchObject({ status: 0, out: 'no difference\n' });
    await generate('-o', at('saved.json'));
    expect(await generate('--diff', at('saved.json'))).toMatchObject({ status: 0, out: 'no difference\n' });
  });

  test('does not print what a foreign row holds', async () => {
    await generate('-o', at('saved.json'));
    const saved: ConfigDb = JSON.parse(await readFile(at('saved.json'), 'utf8'));
    const secret = { TACPLUS: { global: { passkey: 'geheim' } } };
    await writeFile(at('saved.json'), printConfigDb({ ...saved, ...secret }));
    const { out } = await generate('--diff', at('saved.json'));
    expect(out).toBe('- TACPLUS|global\nTACPLUS  1 removed: needs config reload\nA reload is needed: config reload\n');
  });

  test('is a patch for config apply-patch that makes the one of the other', async () => {
    await generate('-o', at('saved.json'));
    const saved: ConfigDb = JSON.parse(await readFile(at('saved.json'), 'utf8'));
    await writeFile(at('sonic-config.yaml'), 'vlans: [{id: 10, ip: 10.0.0.1/24}]\nnameservers: [1.1.1.1]\n');
    const { status, out } = await generate('--diff', at('saved.json'), '--patch');
    const steps: readonly PatchStep[] = JSON.parse(out);
    expect(status).toBe(1);
    expect(steps).toContainEqual({ op: 'add', path: '/VLAN_INTERFACE/Vlan10|10.0.0.1~124', value: {} });
    expect(steps).toContainEqual({ op: 'add', path: '/DNS_NAMESERVER', value: { '1.1.1.1': {} } });
    expect(steps).toContainEqual({ op: 'remove', path: '/INTERFACE' });
    const wanted: unknown = JSON.parse((await generate()).out);
    expect(patched(saved, steps)).toEqual(wanted);
  });

  test('names what is wrong with a saved configuration', async () => {
    await writeFile(at('saved.json'), '{"PORT": {"Ethernet0": {"mtu": true}}}');
    expect(await generate('--diff', at('saved.json'))).toMatchObject({
      status: 2,
      err: `${at('saved.json')}:1:25: PORT|Ethernet0 mtu: write "true" in quotes; SONiC would store it with a capital letter\n`,
    });
  });
});

describe('generate --apply', () => {
  const apply = () => generate('--apply', '-o', at('etc/sonic/config_db.json'));

  test('writes the file, and nothing when it is the same', async () => {
    expect((await apply()).err).toBe(`${at('etc/sonic/config_db.json')}: written\n`);
    const text = await readFile(at('etc/sonic/config_db.json'), 'utf8');
    expect(text).toBe((await generate()).out);
    expect((await stat(at('etc/sonic/config_db.json'))).mode & 0o777).toBe(0o644);
    expect((await apply()).err).toContain('config_db.json: unchanged\n');
  });

  test('keeps the last good one with its mode, and says what is needed', async () => {
    await apply();
    const before = await readFile(at('etc/sonic/config_db.json'), 'utf8');
    await chmod(at('etc/sonic/config_db.json'), 0o640);
    await writeFile(at('sonic-config.yaml'), 'breakouts:\n  Ethernet0: 4x25G[10G]\n');
    const { status, err } = await apply();
    expect(status).toBe(0);
    expect(err).toContain('A reload is needed: config reload');
    expect(await readFile(at('etc/sonic/config_db.json.bak'), 'utf8')).toBe(before);
    for (const name of ['config_db.json', 'config_db.json.bak']) {
      expect((await stat(at(`etc/sonic/${name}`))).mode & 0o777).toBe(0o640);
    }
    expect((await readdir(at('etc/sonic'))).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  test('keeps what the YAML makes no table of, where it is told to', async () => {
    const others = {
      DEVICE_METADATA: { localhost: { bgp_asn: '65000', hostname: 'old' } },
      PORT: { Ethernet0: { pfc_asym: 'off', mtu: '1500' }, Ethernet1: { lanes: '2' } },
      SNMP_COMMUNITY: { geheim: { TYPE: 'RO' } },
      VLAN: { Vlan7: { vlanid: '7' } },
    };
    await writeFile(at('etc/sonic/config_db.json'), printConfigDb(others));
    expect((await generate('--diff', at('etc/sonic/config_db.json'), '--keep')).out).not.toContain('SNMP_COMMUNITY');
    await generate('--apply', '--keep', '-o', at('etc/sonic/config_db.json'));
    const kept: ConfigDb = JSON.parse(await readFile(at('etc/sonic/config_db.json'), 'utf8'));
    expect(kept).toMatchObject({
      DEVICE_METADATA: { localhost: { bgp_asn: '65000', hostname: 'old', mac: '02:00:00:00:00:01' } },
      PORT: { Ethernet0: { pfc_asym: 'off', mtu: '9000', lanes: '1,2,3,4' } },
      SNMP_COMMUNITY: { geheim: { TYPE: 'RO' } },
    });
    expect(Object.keys(kept['VLAN'] ?? {})).toEqual(['Vlan4000']);
    expect(kept['PORT']).not.toHaveProperty('Ethernet1');
    expect(await generate('--diff', at('etc/sonic/config_db.json'), '--keep')).toMatchObject({ status: 0 });

    await writeFile(at('etc/sonic/config_db.json'), 'rubbish');
    expect(await generate('--apply', '--keep', '-o', at('etc/sonic/config_db.json'))).toMatchObject({ status: 2 });
    expect(await readFile(at('etc/sonic/config_db.json'), 'utf8')).toBe('rubbish');
  });

  test('keeps what the daemon has saved for tenants, where it is told to', async () => {
    await generate('-o', at('saved.json'));
    const saved = JSON.parse(await readFile(at('saved.json'), 'utf8'));
    saved.VRF = { Vrf104001: { fallback: 'false', vni: '104001' } };
    saved.INTERFACE.Ethernet4 = { ipv6_use_link_local_only: 'enable', vrf_name: 'Vrf104001' };
    await writeFile(at('saved.json'), printConfigDb(saved));
    expect((await generate('--diff', at('saved.json'))).out).toContain('- VRF|Vrf104001');
    expect(await generate('--diff', at('saved.json'), '--beside-run')).toMatchObject({ status: 0, err: '' });
    await writeFile(at('sonic-config.yaml'), `${YAML}lldp_hello_time: 10\n`);
    await generate('--apply', '-o', at('saved.json'), '--beside-run');
    expect(JSON.parse(await readFile(at('saved.json'), 'utf8'))).toEqual({
      ...saved,
      LLDP: { GLOBAL: { hello_time: '10' } },
    });
    await generate('--apply', '-o', at('saved.json'));
    expect(await readFile(at('saved.json'), 'utf8')).not.toContain('Vrf104001');
  });

  test('takes no notice of what a killed run left', async () => {
    await writeFile(at('etc/sonic/config_db.json.new'), '{"half');
    expect((await apply()).status).toBe(0);
    expect(await readdir(at('etc/sonic'))).not.toContain('config_db.json.new');
  });

  test('does not keep rubbish as the last good one', async () => {
    await apply();
    await writeFile(at('sonic-config.yaml'), 'hostname: a\n');
    await apply();
    const good = await readFile(at('etc/sonic/config_db.json.bak'), 'utf8');
    await writeFile(at('etc/sonic/config_db.json'), '{"PORT": {"Ether');
    await apply();
    expect(await readFile(at('etc/sonic/config_db.json.bak'), 'utf8')).toBe(good);
    expect(await readFile(at('etc/sonic/config_db.json'), 'utf8')).toBe((await generate()).out);
  });

  test('writes through a link', async () => {
    await writeFile(at('real.json'), '{}');
    await symlink(at('real.json'), at('etc/sonic/config_db.json'));
    await apply();
    expect(await readFile(at('real.json'), 'utf8')).toBe((await generate()).out);
  });

  test('leaves the file alone when the YAML is wrong or the folder is not there', async () => {
    await apply();
    const before = await readFile(at('etc/sonic/config_db.json'), 'utf8');
    await writeFile(at('sonic-config.yaml'), 'hostname: -\n');
    expect((await apply()).status).toBe(2);
    expect(await readFile(at('etc/sonic/config_db.json'), 'utf8')).toBe(before);
    await writeFile(at('sonic-config.yaml'), '');
    expect(await generate('--apply', '-o', at('none/config_db.json'))).toMatchObject({ status: 2, out: '' });
  });
});

describe('what a change needs', () => {
  const need = (before: ConfigDb, after: ConfigDb) => summarise(diffConfigDb(before, after)).map((table) => table.need);
  test.each<[string, ConfigDb, ConfigDb, string]>([
    ['an MTU', { PORT: { a: { mtu: '1' } } }, { PORT: { a: { mtu: '2' } } }, 'nothing'],
    ['lanes', { PORT: { a: { lanes: '1' } } }, { PORT: { a: { lanes: '2' } } }, 'config reload'],
    ['a new port', {}, { PORT: { a: {} } }, 'config reload'],
    ['a port of a VRF', { INTERFACE: { a: {} } }, { INTERFACE: { a: { vrf_name: 'Vrf1' } } }, 'config reload'],
    ['a new VRF', {}, { VRF: { Vrf1: {} } }, 'nothing'],
    ['relaying', { VLAN: { a: {} } }, { VLAN: { a: { dhcp_servers: ['b'] } } }, 'systemctl restart dhcp_relay'],
    ['a new relayed VLAN', {}, { VLAN: { a: { dhcp_servers: ['b'] } } }, 'systemctl restart dhcp_relay'],
    [
      'a host name',
      { DEVICE_METADATA: { l: { hostname: 'a' } } },
      { DEVICE_METADATA: { l: { hostname: 'b' } } },
      'nothing',
    ],
    ['an unknown table', {}, { NEW_TABLE: { a: {} } }, 'config reload'],
  ])('%s', (_, before, after, expected) => {
    expect(need(before, after)).toEqual([expected]);
  });

  test('is the gravest of a table', () => {
    expect(need({ PORT: { a: { mtu: '1', alias: 'x' } } }, { PORT: { a: { mtu: '2', alias: 'y' } } })).toEqual([
      'config reload',
    ]);
  });
});

test('a patch takes the last row of a table away with it', () => {
  const before: ConfigDb = { VLAN: { Vlan1: {} }, 'A/B~': { x: {}, y: {} } };
  const after: ConfigDb = { 'A/B~': { y: {} } };
  expect(jsonPatchOf(before, after, diffConfigDb(before, after))).toEqual([
    { op: 'remove', path: '/A~1B~0/x' },
    { op: 'remove', path: '/VLAN' },
  ]);
});

describe('ingot-switch ports', () => {
  const ports = (...args: readonly string[]) => run(portsCommand, ['translate', ...args]);

  test('translates with the breakouts of a configuration', async () => {
    await writeFile(at('sonic-config.yaml'), 'breakouts: {Ethernet0: 2x50G}\n');
    await generate('-o', at('saved.json'));
    expect(await ports('--to', 'sonic', '--config', at('saved.json'), 'swp1s1', 'swp9')).toEqual({
      status: 0,
      out: 'Ethernet2\nEthernet32\n',
      err: '',
    });
  });

  test.each([
    [['--to', 'sonic', 'swp0'], '"swp0" is no port name'],
    [['--to', 'sonic', '--lanes', '3', 'swp1'], 'write --lanes 1, 2, 4, 8 or 16'],
    [['--to', 'arista', 'swp1'], 'write --to sonic or --to cumulus'],
    [['--to', 'sonic'], 'write: ports translate NAME'],
    [['--to', 'sonic', '--config', '/nonexistent', 'swp1'], '/nonexistent cannot be read'],
  ])('%j is refused', async (args, words) => {
    expect(await ports(...args)).toMatchObject({ status: 2, out: '', err: expect.stringContaining(words) });
  });
});

/** RFC 6902 as far as the patches go. */
function patched(configDb: ConfigDb, steps: readonly PatchStep[]): unknown {
  const tables: Record<string, Record<string, unknown>> = structuredClone(configDb);
  for (const step of steps) {
    const [, table = '', key] = step.path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (key === undefined) {
      delete tables[table];
      if (step.op === 'add') tables[table] = { ...step.value };
    } else if (step.op === 'remove') {
      delete tables[table]?.[key];
    } else {
      Object.assign(tables[table] ?? {}, { [key]: step.value });
    }
  }
  return tables;
}
