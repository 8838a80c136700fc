import { readFileSync, readdirSync } from 'node:fs';
import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configureBmc } from '../src/bmc/configure-bmc.ts';
import type { BmcSearch } from '../src/bmc/bmc.ts';
import { parseFru, readFru } from '../src/bmc/fru.ts';
import { openIpmiSession } from '../src/bmc/ipmi.ts';
import type { Ipmi } from '../src/bmc/ipmi.ts';
import { generatePassword } from '../src/bmc/password.ts';
import { redfishHostInterfaces } from '../src/bmc/redfish-host-interface.ts';
import { decodePacket, parseRakp, PayloadType } from '../src/bmc/rmcp-codec.ts';
import { vendorOf } from '../src/bmc/vendors.ts';
import { parseSmbios } from '../src/inventory/smbios.ts';
import { openSysfs } from '../src/sysfs.ts';
import { FakeBmc, policyOfMetal } from './fake-bmc.ts';
import { fruImage } from './fru-image.ts';
import { plant } from './tree.ts';

const texts = {
  chassis: ['CSE-116', 'C1160A'],
  board: ['Supermicro', 'H12SSW-NT', 'WM21CS600123', 'H12SSW-NT'],
  product: ['Supermicro', 'AS -1114S', 'AS -1114S-WN10RT', '1.0', 'S432871X1A11234'],
};
const fields = {
  chassisPartNumber: 'CSE-116',
  chassisPartSerial: 'C1160A',
  boardMfg: 'Supermicro',
  boardMfgSerial: 'WM21CS600123',
  boardPartNumber: 'H12SSW-NT',
  productManufacturer: 'Supermicro',
  productPartNumber: 'AS -1114S-WN10RT',
  productSerial: 'S432871X1A11234',
};

describe('a FRU', () => {
  test('gives its eight texts', () => {
    expect(parseFru(fruImage(texts))).toEqual(fields);
  });

  test('gives them with wrong checksums, too', () => {
    const image = fruImage(texts).map((byte, index) => (index === 7 ? byte ^ 0x55 : byte));
    expect(parseFru(image)).toEqual(fields);
  });

  test.each([
    ['binary', 0, [0xde, 0xad], 'dead'],
    ['BCD plus', 1, [0x12, 0xb3, 0x4c], '12-34.'],
    // "IPMI" by the specification's own example, 13.3.
    ['6-bit ASCII', 2, [0x29, 0xdc, 0xa6], 'IPMI'],
    ['8-bit ASCII', 3, [0x41, 0x07, 0x42], 'A B'],
  ])('has texts in %s', (_name, type, bytes, text) => {
    expect(parseFru(fruImage({ board: [{ type, bytes }] }))).toEqual({ boardMfg: text });
  });

  test('in another language is UTF-16', () => {
    const bytes = [...Buffer.from('技嘉', 'utf16le')];
    expect(parseFru(fruImage({ language: 2, board: [{ type: 3, bytes }] }))).toEqual({ boardMfg: '技嘉' });
  });

  test.each([
    [255, 1],
    [16, 1],
    [5, 1],
    [255, 2],
    [8, 2],
  ])('is read from a BMC that hands out %i bytes at a time, counted by %i', async (chunk, unit) => {
    const bmc = new FakeBmc();
    bmc.fruUnit = unit;
    bmc.fru = fruImage(texts);
    bmc.fruChunk = chunk;
    const session = openIpmiSession({ ipmi: bmc, clock: new MockClock(), signal: new AbortController().signal });
    expect(await readFru(session)).toEqual(fields);
  });

  test('of any bytes gives printable texts of at most 256 characters, and never throws', () => {
    const check = (image: Uint8Array): void => {
      for (const text of Object.values(parseFru(image))) {
        expect(text.length).toBeLessThanOrEqual(256);
        expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), check));
    const image = fruImage(texts);
    fc.assert(fc.property(spoiled(image), check));
    for (let length = 0; length < image.length; length++) check(image.subarray(0, length));
  });
});

/** A good image with some bytes changed. */
const spoiled = (image: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
    const copy = image.slice();
    for (const [at, byte] of changes) copy[at] = byte;
    return copy;
  });

/** USB network of version 2 with MAC and bootstrapping, and a Redfish service on 169.254.0.17:443, VLAN 4. */
const hostInterface = ((): Uint8Array => {
  const device = [0x04, 0x11, 0x6b, 0x04, 0x10, 0xff, 0, 0x02, 0, 0, 0, 0, 0x2a, 0x01, 0, 0x22, 0x04];
  const ip = (...bytes: readonly number[]): number[] => [...bytes, ...Array.from({ length: 12 }, () => 0)];
  const service = [
    ...Array.from({ length: 16 }, (_, index) => index),
    1,
    1,
    ...ip(169, 254, 0, 18),
    ...ip(255, 255, 255, 0),
    1,
    1,
    ...ip(169, 254, 0, 17),
    ...ip(255, 255, 255, 0),
    0xbb,
    0x01,
    0x04,
    0,
    0,
    0,
    4,
    ...Buffer.from('bmc1'),
  ];
  const body = [0x40, device.length, ...device, 1, 0x04, service.length, ...service];
  return Uint8Array.from([42, 4 + body.length, 0x11, 0x22, ...body, 0, 0, 127, 4, 0, 0, 0, 0]);
})();

describe('the Redfish host interface', () => {
  test('is read from SMBIOS type 42', () => {
    expect(redfishHostInterfaces(parseSmbios(hostInterface))).toEqual([
      {
        device: 'usb',
        mac: '02:00:00:00:00:2a',
        hostAddress: '169.254.0.18',
        hostAssignment: 'static',
        serviceAddress: '169.254.0.17',
        servicePort: 443,
        serviceName: 'bmc1',
        vlan: 4,
        canBootstrapCredentials: true,
      },
    ]);
  });

  test('of any bytes gives addresses or none, and never throws', () => {
    const check = (table: Uint8Array): void => {
      for (const found of redfishHostInterfaces(parseSmbios(table))) {
        expect(found.servicePort).toBeGreaterThan(0);
        for (const address of [found.serviceAddress, found.hostAddress])
          if (address !== undefined) expect(address).toMatch(/^[\d.]+$|^[\da-f:]+$/);
      }
    };
    fc.assert(fc.property(spoiled(hostInterface), check));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 251 }), (body) =>
        check(Uint8Array.from([42, 4 + body.length, 0, 0, ...body, 0, 0])),
      ),
    );
    for (let length = 0; length < hostInterface.length; length++) check(hostInterface.subarray(0, length));
  });
});

describe('a BMC that answers anything', () => {
  /** Registers what there is; gives the outcome and the requests that it took. */
  async function against(send: Ipmi['send']): Promise<{ readonly search: BmcSearch; readonly requests: number }> {
    using machine = plant({ '/dev/ipmi0': '' });
    const clock = new MockClock();
    let requests = 0;
    let search: BmcSearch | undefined;
    const ipmi: Ipmi = {
      name: '/dev/ipmi0',
      send: (...message) => {
        requests += 1;
        return send(...message);
      },
      close: () => undefined,
    };
    const running = configureBmc(
      {
        sysfs: openSysfs(machine.root),
        clock,
        entropy: mockEntropy(1),
        signal: new AbortController().signal,
        network: new MockNetwork({ clock }).host('machine', '10.5.0.9/24'),
        openIpmi: () => ipmi,
        superUserPassword: () => Promise.resolve('sesame-open'),
      },
      policyOfMetal,
    ).then((found) => (search = found));
    await clock.advanceUntil(() => search !== undefined);
    return { search: await running, requests };
  }

  const check = ({ search, requests }: Awaited<ReturnType<typeof against>>): void => {
    expect(requests).toBeLessThan(20_000);
    if (search.kind !== 'found') return;
    expect(search.bmc.address).toMatch(/^[\d.]+:623$|^\[[\da-f:]+\]:623$/);
    expect(search.bmc.mac).toMatch(/^([\da-f]{2}:){5}[\da-f]{2}$/);
    for (const text of [search.bmc.version, ...Object.values(search.bmc.fru), ...search.problems])
      expect(text).not.toMatch(/[\p{Cc}]/u);
  };

  test('is registered well-formed or not at all, within bounds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.uint8Array({ maxLength: 40 })), async (answers) => {
        check(await against(() => Promise.resolve(answers.next().value)));
      }),
      { numRuns: 60 },
    );
  });

  test('now and then, and is a good one otherwise, is registered well-formed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.option(fc.uint8Array({ maxLength: 24 }), { freq: 12 })),
        async (surprises) => {
          const bmc = new FakeBmc();
          bmc.fru = fruImage(texts);
          bmc.fault = () => surprises.next().value ?? undefined;
          check(await against((...message) => bmc.send(...message)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('a packet of any bytes is an answer of RMCP+ or nothing', () => {
  const consoleId = Uint8Array.of(1, 2, 3, 4);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 96 }), fc.boolean(), (bytes, isRmcp) => {
      const packet = isRmcp ? Uint8Array.of(6, 0, 0xff, 7, 6, PayloadType.Rakp2, ...bytes) : bytes;
      const payload = decodePacket(packet, PayloadType.Rakp2);
      if (payload === undefined) return;
      expect(payload.length).toBeLessThanOrEqual(packet.length - 16);
      const answer = parseRakp(payload, 5, consoleId);
      if (answer !== undefined) expect(payload[0]).toBe(5);
    }),
  );
});

describe('a password', () => {
  test.each([16, 20])('of %i characters has all three classes and no character twice in a row', (length) => {
    const entropy = mockEntropy(5);
    const passwords = Array.from({ length: 500 }, () => generatePassword(entropy, length).reveal());
    expect(new Set(passwords).size).toBe(500);
    for (const password of passwords) {
      expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z2-9]+$/);
      expect(password).toHaveLength(length);
      expect(password).not.toMatch(/(.)\1/);
    }
  });

  test('that is short is refused', () => {
    expect(() => generatePassword(mockEntropy(1), 4)).toThrow(RangeError);
  });
});

test.each([
  [10_876, '', 'Supermicro'],
  [674, 'Dell Inc.', 'Dell'],
  [0, 'Lenovo', 'Lenovo'],
  [0, 'Giga Computing', 'Gigabyte'],
  [11, 'HPE', 'other'],
  [0, '', 'other'],
])('manufacturer %i on a board of "%s" is %s', (manufacturer, board, name) => {
  expect(vendorOf({ manufacturer }, board).name).toBe(name);
});

test('nothing of the BMC part starts a program or writes a file, so that no arguments and no disk ever have a password', () => {
  const directory = new URL('../src/bmc/', import.meta.url);
  const files = readdirSync(directory);
  expect(files.length).toBeGreaterThan(15);
  for (const file of files) {
    const imports = readFileSync(new URL(file, directory), 'utf8').match(/^import [^;]*;/gm) ?? [];
    expect(imports.join('\n'), file).not.toMatch(
      /child_process|execa|command\.ts|writeFile|createWriteStream|reporter/,
    );
  }
});
