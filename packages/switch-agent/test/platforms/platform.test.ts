import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakOut } from '../../src/platform/break-out.ts';
import { parseBreakoutMode, sameBreakoutMode } from '../../src/platform/breakout-mode.ts';
import { detectDistribution } from '../../src/platform/distribution.ts';
import { parseHwskuJson } from '../../src/platform/hwsku-json.ts';
import { parsePlatformJson, type Cage } from '../../src/platform/platform-json.ts';
import { layOutPorts, type Platform } from '../../src/platform/platform.ts';
import { parsePortConfigIni } from '../../src/platform/port-config-ini.ts';
import { readPlatform, type PlatformPlaces } from '../../src/platform/read-platform.ts';
import { parseEnvironment } from '../../src/platform/sonic-environment.ts';
import { testSwitch, testSwitches, writeSwitch } from './platforms.ts';

const cageOf = (onSwitch: string, name: string): Cage => {
  const cage = testSwitch(onSwitch).target.platform.cages?.get(name);
  if (cage === undefined) throw new Error(`no cage ${name}`);
  return cage;
};
const portsOf = (cage: Cage, mode: string) => {
  const broken = breakOut(cage, mode);
  if (!broken.ok) throw new Error(broken.words);
  return broken.ports.map(({ name, lanes, speed, subport }) => `${name} ${lanes.join(',')} ${speed} ${subport}`);
};

describe('a breakout mode', () => {
  test.each([
    ['1x100G[40G]', [{ ports: 1, speed: 100_000, speeds: [100_000, 40_000], lanes: undefined }]],
    ['2x100G[50G, 25G](4)', [{ ports: 2, speed: 100_000, speeds: [100_000, 50_000, 25_000], lanes: 4 }]],
    ['1x1000', [{ ports: 1, speed: 1000, speeds: [1000], lanes: undefined }]],
    [
      '2x25G(2)+1x50G(2)',
      [
        { ports: 2, speed: 25_000, speeds: [25_000], lanes: 2 },
        { ports: 1, speed: 50_000, speeds: [50_000], lanes: 2 },
      ],
    ],
  ])('%s is understood', (text, groups) => {
    expect(parseBreakoutMode(text)).toEqual(groups);
  });

  test.each(['', '4x', 'x25G', '4x25G[', '0x25G', '4x25G(0)', '4x25G+', '4 x 25G', '4x25T'])('%j is none', (text) => {
    expect(parseBreakoutMode(text)).toBeUndefined();
  });

  test.each([
    ['4x10G[25G]', '4x25G[10G]', 4, true],
    ['4x25G', '4x25G[10G]', 4, false],
    ['2x50G(4)', '2x50G', 4, true],
    ['2x50G(4)', '2x50G', 8, false],
    ['2x25G(2)+1x50G(2)', '1x50G(2)+2x25G(2)', 4, false],
  ])('%s and %s on %i lanes: the same is %s', (left, right, lanes, same) => {
    const [a, b] = [parseBreakoutMode(left), parseBreakoutMode(right)];
    expect(a !== undefined && b !== undefined && sameBreakoutMode(a, b, lanes)).toBe(same);
  });
});

describe('breaking out a cage', () => {
  test('gives each port its share of the lanes and its place in the name', () => {
    expect(portsOf(cageOf('as7726', 'Ethernet4'), '4x25G[10G]')).toEqual([
      'Ethernet4 5 25000 1',
      'Ethernet5 6 25000 2',
      'Ethernet6 7 25000 3',
      'Ethernet7 8 25000 4',
    ]);
    expect(portsOf(cageOf('ds5000', 'Ethernet8'), '2x400G[200G,100G]')).toEqual([
      'Ethernet8 9,10,11,12 400000 1',
      'Ethernet12 13,14,15,16 400000 2',
    ]);
  });

  test('leaves the lanes free that a mode does not use', () => {
    expect(portsOf(cageOf('as9726', 'Ethernet0'), '1x100G[40G](4)')).toEqual(['Ethernet0 1,2,3,4 100000 0']);
  });

  test('starts with the speed that is written first, of whatever order the platform has', () => {
    expect(portsOf(cageOf('as7726', 'Ethernet0'), '4x10G[25G]')[0]).toBe('Ethernet0 1 10000 1');
  });

  test('keeps every lane in one port and in the cage, for every mode of every platform', () => {
    for (const { target } of testSwitches.values()) {
      for (const cage of target.platform.cages?.values() ?? []) {
        for (const mode of cage.modes.keys()) {
          const broken = breakOut(cage, mode);
          const lanes = broken.ok ? broken.ports.flatMap((port) => port.lanes) : [];
          expect(lanes.length).toBeGreaterThan(0);
          expect(lanes).toEqual(cage.lanes.slice(0, lanes.length));
        }
      }
    }
  });

  test('refuses a mode of the platform that has more lanes or fewer aliases than there are', () => {
    const cage: Cage = {
      name: 'Ethernet0',
      base: 0,
      lanes: ['1', '2'],
      indexes: ['1', '1'],
      modes: new Map([
        ['1x40G(4)', ['a']],
        ['2x25G', ['a']],
        ['4x10G', ['a', 'b', 'c', 'd']],
      ]),
    };
    expect(breakOut(cage, '1x40G(4)')).toMatchObject({ ok: false, words: expect.stringContaining('has 2 lanes only') });
    expect(breakOut(cage, '4x10G')).toMatchObject({ ok: false, words: expect.stringContaining('has 2 lanes only') });
    expect(breakOut(cage, '2x25G')).toMatchObject({ ok: false, words: expect.stringContaining('1 aliases for the 2') });
  });
});

describe('the ports of a platform', () => {
  const sizes = { as7726: 32, as4630: 54, as9726: 34, ds5000: 66, s5248f: 54, z9332f: 32, as4625: 54 };
  test.each(Object.entries(sizes))('%s has %i by default', (name, count) => {
    const { layout, problems } = layOutPorts(testSwitch(name).target.platform, new Map());
    expect(problems).toEqual([]);
    expect(layout.ports.size).toBe(count);
  });

  test('are 512 when 64 cages of eight lanes are broken out', () => {
    const { platform } = testSwitch('ds5000').target;
    const cages = [...(platform.cages?.values() ?? [])].filter(({ lanes }) => lanes.length === 8);
    const { layout } = layOutPorts(platform, new Map(cages.map(({ name }) => [name, '8x100G[50G,25G,10G]'])));
    expect(layout.ports.size).toBe(512 + 2);
    expect(new Set([...layout.ports.values()].flatMap(({ lanes }) => lanes)).size).toBe(512 + 2);
  });

  test('are as fast as they can be where no file says: the alphabet would have 1x100G', () => {
    const { platform } = testSwitch('as9726').target;
    const { layout } = layOutPorts({ ...platform, hwskuPorts: undefined }, new Map());
    expect(layout.modes.get('Ethernet0')).toBe('1x400G');
  });

  test('leave out a cage that hwsku.json leaves out', () => {
    const { platform } = testSwitch('as9726').target;
    const hwskuPorts = new Map([['Ethernet0', { default_brkout_mode: '1x400G' }]]);
    expect([...layOutPorts({ ...platform, hwskuPorts }, new Map()).layout.ports.keys()]).toEqual(['Ethernet0']);
  });

  test('take what hwsku.json says of one port of a cage for all of it', () => {
    const { platform } = testSwitch('as7726').target;
    const hwskuPorts = new Map([
      ['Ethernet0', { default_brkout_mode: '2x50G', autoneg: 'on' }],
      ['Ethernet2', { fec: 'rs' }],
    ]);
    const { layout } = layOutPorts({ ...platform, hwskuPorts }, new Map());
    expect([...layout.ports.values()].map(({ fec, autoneg }) => [fec, autoneg])).toEqual([
      ['rs', 'on'],
      ['rs', 'on'],
    ]);
  });

  test('of port_config.ini give way to those of a breakout', () => {
    const { platform } = testSwitch('z9332f').target;
    const { layout } = layOutPorts(platform, new Map([['Ethernet8', '4x100G[50G]']]));
    expect(layout.ports.size).toBe(35);
    expect(layout.ports.get('Ethernet8')?.lanes).toEqual(['9', '10']);
    expect([...layout.modes]).toEqual([['Ethernet8', '4x100G[50G]']]);
  });

  test('cannot be broken out without a platform.json', () => {
    expect(layOutPorts(testSwitch('s5248f').target.platform, new Map([['Ethernet0', '4x25G']])).problems).toEqual([
      { cage: 'Ethernet0', asked: true, words: expect.stringContaining('no platform.json with breakout modes') },
    ]);
  });
});

describe('a file of SONiC’s that is not as it should be', () => {
  test.each<[() => unknown, string]>([
    [() => parsePlatformJson('p', '{'), 'p is not JSON'],
    [() => parsePlatformJson('p', '{"interfaces": {"Ethernet0": {}}}'), 'p interfaces.Ethernet0.lanes'],
    [() => parsePlatformJson('p', interfaces('eth0', '1', '1')), 'interfaces.eth0: is no port that SONiC breaks out'],
    [() => parsePlatformJson('p', interfaces('Ethernet0', '1,x', '1,1')), 'lanes "1,x" are no numbers'],
    [() => parseHwskuJson('h', '{"interfaces": {"Ethernet0": {"default_brkout_mode": 1}}}'), 'h interfaces.Ethernet0'],
    [() => parsePortConfigIni('i', '# name lanes\n'), 'i has no port'],
    [() => parsePortConfigIni('i', '# name lanes speed\nEthernet0 1 fast'), 'i:2: the speed "fast" is no number'],
    [() => parsePortConfigIni('i', 'Ethernet0 1,2 Eth1 1\nEthernet0 3 Eth1 1'), 'i:2: Ethernet0 stands there a second'],
    [() => parsePortConfigIni('i', 'Ethernet0 a Eth1 1'), 'the lanes "a" are no numbers'],
  ])('%# is named', (parse, words) => {
    expect(parse).toThrow(
      expect.objectContaining({ code: 'SWITCH_SONIC_FILE', message: expect.stringContaining(words) }),
    );
  });

  test('never brings anything but that error', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...testSwitches.values()).chain(spoiledFile));
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of [parsePlatformJson, parseHwskuJson, parsePortConfigIni]) {
          try {
            parse('f', text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'SWITCH_SONIC_FILE' });
          }
        }
      }),
    );
  });

  test('with fewer indexes than lanes gives all lanes the first, and without a mode that nobody understands', () => {
    const cages = parsePlatformJson('p', interfaces('Ethernet0', '1,2,3,4', '7', 'fast'));
    expect(cages?.get('Ethernet0')).toMatchObject({ indexes: ['7', '7', '7', '7'], modes: new Map() });
    expect(breakOut(cages?.get('Ethernet0') ?? cageOf('as7726', 'Ethernet0'), 'fast')).toEqual({
      ok: false,
      words: '"fast" is no breakout mode; platform.json has none for Ethernet0',
    });
  });

  test('a platform.json without interfaces is none', () => {
    expect(parsePlatformJson('p', '{"chassis": {}}')).toBeUndefined();
    expect(parsePlatformJson('p', '{"interfaces": {}}')).toBeUndefined();
  });
});

describe('port_config.ini', () => {
  test('has the columns that its comment names, and the old ones without', () => {
    expect(parsePortConfigIni('i', '#name lanes alias index speed fec\nEthernet0 1,2 Eth1 1 50000 rs\n\n')[0]).toEqual({
      name: 'Ethernet0',
      lanes: ['1', '2'],
      alias: 'Eth1',
      index: '1',
      speed: 50_000,
      fec: 'rs',
      autoneg: undefined,
      role: undefined,
    });
    expect(parsePortConfigIni('i', 'Ethernet0 1 Eth1\r\n')[0]).toMatchObject({ alias: 'Eth1', index: undefined });
    expect(parsePortConfigIni('i', 'Ethernet0 1\n')[0]).toMatchObject({ alias: 'Ethernet0' });
  });
});

describe('the distribution', () => {
  test.each([
    [{ branch: '202311' }, 'community-202311'],
    [{ branch: '202505', buildVersion: '202505.12-x' }, 'community-202505'],
    [{ branch: '202605' }, 'community-202511'],
    [{ branch: '201911' }, undefined],
    [{ branch: '202205' }, 'community-202311'],
    [{ buildVersion: 'SONiC.202411.0-dirty-20250101.1' }, 'community-202411'],
    [{ branch: 'master', buildVersion: 'master.0-1234abc' }, 'community-202511'],
    [{ branch: 'ec202111' }, 'edgecore-202111'],
    [{ branch: 'ec202111_11' }, 'edgecore-202111'],
    [{ branch: 'ec202211_ecsonic' }, 'edgecore-202211'],
    [{ branch: 'ec202305' }, 'edgecore-202211'],
    [{ buildVersion: '4.4.1-Enterprise_Premium', branch: 'SONiC' }, 'dell-enterprise'],
    [{}, undefined],
  ])('of %j is %s', (build, name) => {
    expect(detectDistribution(build)).toBe(name);
  });
});

describe('reading a switch’s files', () => {
  const inFolder = async (run: (root: string, places: PlatformPlaces) => Promise<void>): Promise<void> => {
    const root = await mkdtemp(join(tmpdir(), 'ingot-platform-'));
    try {
      await run(root, {
        deviceDir: join(root, 'usr/share/sonic/device'),
        environmentFile: join(root, 'etc/sonic/sonic-environment'),
        versionFile: join(root, 'etc/sonic/sonic_version.yml'),
      });
    } finally {
      await rm(root, { recursive: true });
    }
  };

  test.each([...testSwitches.keys()])('%s is what its files are', async (name) => {
    await inFolder(async (root, places) => {
      const onSwitch = testSwitch(name);
      await writeSwitch(root, onSwitch);
      const { platform, build } = await readPlatform(places);
      const { platform: expected, distribution } = onSwitch.target;
      expect({ ...platform, asicType: 'broadcom' }).toEqual(expected satisfies Platform);
      expect(detectDistribution(build)).toBe(distribution.name);
    });
  });

  test('says which file is missing', async () => {
    await inFolder(async (root, places) => {
      await expect(readPlatform(places)).rejects.toThrow(/sonic-environment cannot be read/);
      await writeSwitch(root, testSwitch('as7726'));
      await unlink(join(places.deviceDir, 'x86_64-accton_as7726_32x-r0/platform.json'));
      await expect(readPlatform(places)).rejects.toThrow(/has neither a platform.json with interfaces nor/);
      await writeFile(places.environmentFile, 'PLATFORM=x86_64-other-r0\nHWSKU=Other\n');
      await expect(readPlatform(places)).rejects.toThrow(
        /does not exist; --device-dir has x86_64-accton_as7726_32x-r0/,
      );
      await writeFile(places.environmentFile, 'PLATFORM=../../etc\nHWSKU=Other\n');
      await expect(readPlatform(places)).rejects.toThrow(/has no line PLATFORM=/);
      await writeFile(places.environmentFile, 'PLATFORM=x86_64-other-r0\n');
      await expect(readPlatform(places)).rejects.toThrow(/has no line HWSKU=, and .*default_sku names none/);
    });
  });

  test('takes the environment as a shell does', () => {
    expect([...parseEnvironment('# x\nexport PLATFORM="a b"\r\n HWSKU=\'c\' \nEMPTY=\nlower=1\n')]).toEqual([
      ['PLATFORM', 'a b'],
      ['HWSKU', 'c'],
    ]);
  });
});

function interfaces(name: string, lanes: string, index: string, mode = '1x1G'): string {
  return JSON.stringify({ interfaces: { [name]: { lanes, index, breakout_modes: { [mode]: ['a'] } } } });
}

function spoiledFile({
  deviceFiles,
}: {
  readonly deviceFiles: Readonly<Record<string, string>>;
}): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...Object.values(deviceFiles)), fc.nat(), fc.string())
    .map(([text, at, insert]) => text.slice(0, at % text.length) + insert + text.slice(at % text.length));
}
