import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Target } from '../../src/generate/generate.ts';
import { distributionOf, type DistributionName } from '../../src/platform/distribution.ts';
import { parseHwskuJson } from '../../src/platform/hwsku-json.ts';
import { parsePlatformJson } from '../../src/platform/platform-json.ts';
import { parsePortConfigIni } from '../../src/platform/port-config-ini.ts';

/** A switch that is shaped as a real one: its files as SONiC has them, and what they are parsed to. */
export interface TestSwitch {
  readonly name: string;
  readonly target: Target;
  /** Under `/usr/share/sonic/device/<platform>/`. */
  readonly deviceFiles: Readonly<Record<string, string>>;
  /** Under `/etc/sonic/`. */
  readonly etcFiles: Readonly<Record<string, string>>;
}

/** Cages of one kind. Modes map to the aliases of a cage's ports: `#` is its number, `*` the port's. */
interface CageKind {
  readonly count: number;
  readonly lanes: number;
  readonly modes: Readonly<Record<string, string>>;
  readonly defaultMode: string;
  /** Extra fields of its row in `hwsku.json`. */
  readonly hwsku?: Readonly<Record<string, string>>;
}

interface Description {
  readonly platform: string;
  readonly hwsku: string;
  readonly distribution: DistributionName;
  readonly version: string;
  readonly kinds: readonly CageKind[];
  /** Which of SONiC's files the platform has. */
  readonly has: { readonly platformJson: boolean; readonly hwskuJson: boolean; readonly ini: boolean };
  /** Odd and even lanes change places, as on copper boards. */
  readonly swappedLanes?: boolean;
}

const ONE = 'Eth#(Port#)';
const MANY = 'Eth#/*(Port#)';
const ALL = { platformJson: true, hwskuJson: true, ini: false } as const;

const DESCRIPTIONS: Readonly<Record<string, Description>> = {
  // 32 × 100G.
  as7726: {
    platform: 'x86_64-accton_as7726_32x-r0',
    hwsku: 'Accton-AS7726-32X',
    distribution: 'community-202511',
    version: "build_version: '202511.0-a1b2c3d'\nbranch: '202511'\nasic_type: broadcom\n",
    kinds: [
      {
        count: 32,
        lanes: 4,
        modes: { '1x100G[40G]': ONE, '2x50G': MANY, '4x25G[10G]': MANY },
        defaultMode: '1x100G[40G]',
      },
    ],
    has: ALL,
  },
  // 48 × 1G copper, 4 × 25G, 2 × 100G: the leaf of a management network.
  as4630: {
    platform: 'x86_64-accton_as4630_54pe-r0',
    hwsku: 'Accton-AS4630-54PE',
    distribution: 'edgecore-202111',
    version: "build_version: 'Edgecore-SONiC_20230202_061223_ec202111_264'\nbranch: 'ec202111'\nasic_type: broadcom\n",
    kinds: [
      { count: 48, lanes: 1, modes: { '1x1G': ONE }, defaultMode: '1x1G', hwsku: { autoneg: 'on' } },
      { count: 4, lanes: 1, modes: { '1x25G[10G,1G]': ONE }, defaultMode: '1x25G[10G,1G]' },
      { count: 2, lanes: 4, modes: { '1x100G[40G]': ONE, '4x25G[10G]': MANY }, defaultMode: '1x100G[40G]' },
    ],
    has: ALL,
    swappedLanes: true,
  },
  // 32 × 400G and 2 × 10G; 100G uses half of a cage's lanes.
  as9726: {
    platform: 'x86_64-accton_as9726_32d-r0',
    hwsku: 'Accton-AS9726-32D',
    distribution: 'community-202405',
    version: "build_version: '202405.78123-0f9e8d7'\nbranch: '202405'\nasic_type: broadcom\n",
    kinds: [
      {
        count: 32,
        lanes: 8,
        modes: {
          '1x100G[40G](4)': ONE,
          '1x400G': ONE,
          '2x200G': MANY,
          '2x50G(4)': MANY,
          '4x100G': MANY,
          '4x25G[10G](4)': MANY,
        },
        defaultMode: '1x400G',
      },
      { count: 2, lanes: 1, modes: { '1x10G[1G]': ONE }, defaultMode: '1x10G[1G]', hwsku: { autoneg: 'off' } },
    ],
    has: ALL,
  },
  // 64 × 800G and 2 × 25G: 512 ports when all are broken out.
  ds5000: {
    platform: 'x86_64-cel_ds5000-r0',
    hwsku: 'Celestica-DS5000-64O',
    distribution: 'community-202511',
    version: "build_version: '202511.4-5d6e7f8'\nbranch: '202511'\nasic_type: broadcom\n",
    kinds: [
      {
        count: 64,
        lanes: 8,
        modes: {
          '1x800G[400G,200G]': 'etp#',
          '2x400G[200G,100G]': 'etp#+',
          '4x200G[100G]': 'etp#+',
          '4x100G(4)+1x400G(4)': 'etp#+',
          '8x100G[50G,25G,10G]': 'etp#+',
        },
        defaultMode: '1x800G[400G,200G]',
      },
      { count: 2, lanes: 1, modes: { '1x25G[10G]': 'etp#' }, defaultMode: '1x25G[10G]' },
    ],
    has: ALL,
  },
  // 48 × 25G, 2 × 200G, 4 × 100G; nothing but port_config.ini.
  s5248f: {
    platform: 'x86_64-dellemc_s5248f_c3538-r0',
    hwsku: 'DellEMC-S5248f-P-25G',
    distribution: 'dell-enterprise',
    version: "build_version: '4.4.1-Enterprise_Premium'\nbranch: 'SONiC'\nasic_type: broadcom\n",
    kinds: [
      { count: 48, lanes: 1, modes: { '1x25G': 'Eth1/#' }, defaultMode: '1x25G' },
      { count: 2, lanes: 8, modes: { '1x200G': 'Eth1/#' }, defaultMode: '1x200G' },
      { count: 4, lanes: 4, modes: { '1x100G': 'Eth1/#' }, defaultMode: '1x100G' },
    ],
    has: { platformJson: false, hwskuJson: false, ini: true },
  },
  // 32 × 400G; ports by port_config.ini, other modes by platform.json.
  z9332f: {
    platform: 'x86_64-dellemc_z9332f_d1508-r0',
    hwsku: 'DellEMC-Z9332f-O32',
    distribution: 'community-202311',
    version: "build_version: 'SONiC.202311.512-4a4b4c4'\nasic_type: broadcom\n",
    kinds: [
      {
        count: 32,
        lanes: 8,
        modes: { '1x400G[200G]': 'etp#', '4x100G[50G]': 'etp#+', '8x50G[25G]': 'etp#+' },
        defaultMode: '1x400G[200G]',
      },
    ],
    has: { platformJson: true, hwskuJson: false, ini: true },
  },
  // 48 × 1G and 6 × 10G; neither hwsku.json nor port_config.ini.
  as4625: {
    platform: 'x86_64-accton_as4625_54t-r0',
    hwsku: 'Accton-AS4625-54T',
    distribution: 'edgecore-202211',
    version: "build_version: 'Edgecore-SONiC_20240808_061223_ec202211_264'\nbranch: 'ec202211_ecsonic'\n",
    kinds: [
      { count: 48, lanes: 1, modes: { '1x1G': ONE }, defaultMode: '1x1G' },
      { count: 6, lanes: 1, modes: { '1x10G': ONE, '1x1G': ONE }, defaultMode: '1x10G' },
    ],
    has: { platformJson: true, hwskuJson: false, ini: false },
  },
};

const MAC = '02:00:00:00:00:01';

/** The switches of the tests, by a short name. */
export const testSwitches: ReadonlyMap<string, TestSwitch> = new Map(
  Object.entries(DESCRIPTIONS).map(([name, description]) => [name, switchOf(name, description)]),
);

export function testSwitch(name: string): TestSwitch {
  const found = testSwitches.get(name);
  if (found === undefined) throw new Error(`there is no test switch ${name}`);
  return found;
}

/** Writes a switch's files under `root` as on the switch: `usr/share/sonic/device`, `etc/sonic`, `sys/class/net/eth0`. */
export async function writeSwitch(root: string, { target, deviceFiles, etcFiles }: TestSwitch): Promise<void> {
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  for (const [path, text] of Object.entries(deviceFiles)) {
    await write(join('usr/share/sonic/device', target.platform.name, path), text);
  }
  for (const [path, text] of Object.entries(etcFiles)) await write(join('etc/sonic', path), text);
  await write('sys/class/net/eth0/address', `${target.mac}\n`);
}

function switchOf(name: string, description: Description): TestSwitch {
  const { platform, hwsku, has, version } = description;
  const { interfaces, hwskuPorts, rows } = cagesOf(description);
  const files = {
    platformJson: `${JSON.stringify({ chassis: { name: platform }, interfaces: has.platformJson ? interfaces : {} }, null, 4)}\n`,
    hwskuJson: `${JSON.stringify({ interfaces: hwskuPorts }, null, 4)}\n`,
    ini: ['# name        lanes                                alias      index   speed', ...rows, ''].join('\n'),
  };
  // Dell's images leave HWSKU to default_sku.
  const viaDefaultSku = platform.includes('dellemc');
  return {
    name,
    target: {
      platform: {
        name: platform,
        hwsku,
        asicType: 'broadcom',
        cages: parsePlatformJson('platform.json', files.platformJson),
        hwskuPorts: has.hwskuJson ? parseHwskuJson('hwsku.json', files.hwskuJson) : undefined,
        iniPorts: has.ini ? parsePortConfigIni('port_config.ini', files.ini) : undefined,
      },
      distribution: distributionOf(description.distribution),
      mac: MAC,
    },
    deviceFiles: {
      'platform.json': files.platformJson,
      default_sku: `${hwsku} t1\n`,
      ...(has.hwskuJson ? { [`${hwsku}/hwsku.json`]: files.hwskuJson } : {}),
      ...(has.ini ? { [`${hwsku}/port_config.ini`]: files.ini } : {}),
    },
    etcFiles: {
      'sonic-environment': `SONIC_VERSION=x\nPLATFORM=${platform}\n${viaDefaultSku ? '' : `HWSKU=${hwsku}\n`}ASIC_TYPE=broadcom\n`,
      'sonic_version.yml': `---\n${version}`,
    },
  };
}

function cagesOf({ kinds, swappedLanes = false }: Description) {
  const interfaces: Record<string, unknown> = {};
  const hwskuPorts: Record<string, unknown> = {};
  const rows: string[] = [];
  let base = 0;
  let number = 0;
  for (const { count, lanes, modes, defaultMode, hwsku = {} } of kinds) {
    for (let cage = 0; cage < count; cage += 1) {
      number += 1;
      const name = `Ethernet${base}`;
      const own = Array.from({ length: lanes }, (_, lane) => {
        const place = base + lane;
        return swappedLanes && lanes === 1 ? (place % 2 === 0 ? place + 2 : place) : place + 1;
      });
      interfaces[name] = {
        index: own.map(() => number).join(','),
        lanes: own.join(','),
        breakout_modes: Object.fromEntries(
          Object.entries(modes).map(([mode, alias]) => [mode, aliasesOf(mode, alias, number)]),
        ),
      };
      hwskuPorts[name] = { default_brkout_mode: defaultMode, ...hwsku };
      const speed = Number(/x(\d+)G/.exec(defaultMode)?.[1]) * 1000;
      const [alias = ''] = aliasesOf(defaultMode, modes[defaultMode] ?? '', number);
      rows.push(
        [name.padEnd(13), own.join(',').padEnd(36), alias.padEnd(10), String(number).padEnd(7), speed].join(' '),
      );
      base += lanes;
    }
  }
  return { interfaces, hwskuPorts, rows };
}

function aliasesOf(mode: string, alias: string, number: number): readonly string[] {
  const ports = mode.split('+').reduce((sum, group) => sum + Number.parseInt(group, 10), 0);
  return Array.from({ length: ports }, (_, port) =>
    alias
      .replaceAll('#', String(number))
      .replaceAll('*', String(port + 1))
      .replaceAll('+', String.fromCodePoint(97 + port)),
  );
}
