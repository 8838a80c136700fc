import { describe, expect, test } from 'vitest';
import {
  CLIENT_ARCHS,
  clientArch,
  decodePxeVendorOptions,
  IpxeCode,
  IpxeFeature,
  ipxeOption,
  machineUuidOption,
  optionMapOf,
  pxeVendorOption,
  readBootClient,
  readClientArchs,
  readClientInterface,
  readIpxeOptions,
  readMachineUuid,
  readPxeVendorOptions,
  type OptionMap,
  type PxeVendorOptions,
} from '../src/index.ts';
import { accepted, ascii, bytes, ip, refused } from './helpers.ts';

const none: OptionMap = new Map();
const one = (code: number, digits: string): OptionMap => optionMapOf([{ code, data: bytes(digits) }]);
const vendorClass = (text: string): OptionMap => optionMapOf([{ code: 60, data: ascii(text) }]);

describe('architecture table', () => {
  test.each([
    [0, 'bios', 'x86', false],
    [6, 'uefi', 'x86', false],
    [7, 'uefi', 'x64', false],
    [9, 'uefi', 'x64', false],
    [0x0a, 'uefi', 'arm32', false],
    [0x0b, 'uefi', 'arm64', false],
    [0x0f, 'uefi', 'x86', true],
    [0x10, 'uefi', 'x64', true],
    [0x11, 'uefi', 'x64', true],
    [0x12, 'uefi', 'arm32', true],
    [0x13, 'uefi', 'arm64', true],
    [0x14, 'bios', 'x86', true],
    [0x15, 'u-boot', 'arm32', false],
    [0x16, 'u-boot', 'arm64', false],
    [0x17, 'u-boot', 'arm32', true],
    [0x18, 'u-boot', 'arm64', true],
    [0x19, 'uefi', 'riscv32', false],
    [0x1a, 'uefi', 'riscv32', true],
    [0x1b, 'uefi', 'riscv64', false],
    [0x1c, 'uefi', 'riscv64', true],
    [0x25, 'uefi', 'loong32', false],
    [0x27, 'uefi', 'loong64', false],
    [0x28, 'uefi', 'loong64', true],
    [0x29, 'rpi', 'arm64', false],
  ] as const)('%i is %s on %s, HTTP boot %s', (arch, firmware, cpu, httpBoot) => {
    expect(clientArch(arch)).toMatchObject({ arch, firmware, cpu, httpBoot });
  });
  test('every HTTP architecture says so in its name', () => {
    for (const { name, httpBoot } of CLIENT_ARCHS) expect(name.endsWith('HTTP')).toBe(httpBoot);
  });
  test('a number that IANA does not list is named as such', () =>
    expect(clientArch(4711)).toEqual({
      arch: 4711,
      firmware: 'other',
      cpu: 'other',
      httpBoot: false,
      name: 'architecture 4711',
    }));
});

describe('what a client says of itself', () => {
  test('one architecture or several', () => {
    expect(accepted(readClientArchs(one(93, '0007')))).toEqual([7]);
    expect(accepted(readClientArchs(one(93, '0010 0007')))).toEqual([16, 7]);
    refused(readClientArchs(one(93, '')), 0, 'option 93 has 0 bytes');
    refused(readClientArchs(one(93, '000700')), 0, 'option 93 has 3 bytes');
  });
  test('its interface', () => {
    expect(accepted(readClientInterface(one(94, '010310')))).toEqual({ type: 1, major: 3, minor: 16 });
    refused(readClientInterface(one(94, '0103')), 0, 'option 94 has 2 bytes');
  });
  test('its UUID, echoed unchanged', () => {
    const options = one(97, '00 8e12374b726e8d4a87da8ad4d775582c');
    expect(accepted(readMachineUuid(options))).toBe('4b37128e-6e72-4a8d-87da-8ad4d775582c');
    expect(machineUuidOption(accepted(readMachineUuid(options))).data).toEqual(options.get(97));
    refused(readMachineUuid(one(97, '00 8e12')), 0, 'option 97 has 3 bytes');
    refused(readMachineUuid(one(97, '01 8e12374b726e8d4a87da8ad4d775582c')), 0, 'of type 1');
  });
  test.each([
    ['PXEClient:Arch:00007:UNDI:003016', { kind: 'PXEClient', arch: 7, undi: { major: 3, minor: 16 } }],
    ['HTTPClient:Arch:00016:UNDI:003000', { kind: 'HTTPClient', arch: 16, undi: { major: 3, minor: 0 } }],
    ['PXEClient:Arch:00000', { kind: 'PXEClient', arch: 0 }],
    ['PXEClient', { kind: 'PXEClient' }],
    ['PXEClient\0', { kind: 'PXEClient' }],
    ['udhcp 1.35.0', undefined],
    ['', undefined],
  ])('option 60 %j', (text, expected) => expect(readBootClient(vendorClass(text))).toEqual(expected));
  test('what is absent is undefined', () => {
    const reads = [readClientArchs(none), readClientInterface(none), readMachineUuid(none), readBootClient(none)];
    expect([...reads, readPxeVendorOptions(none), readIpxeOptions(none)]).toEqual(Array(6).fill(undefined));
  });
});

describe('option 43 of PXE', () => {
  test("pixiecore's first generation, from its own capture layout", () => {
    const digits = '060103 08078000010a000001 090c80000950697869 65636f7265 0a0a00506978696563 6f7265 ff';
    const value: PxeVendorOptions = {
      discoveryControl: 3,
      bootServers: [{ type: 0x8000, addresses: [ip('10.0.0.1')] }],
      menu: [{ type: 0x8000, description: 'Pixiecore' }],
      prompt: { timeoutSeconds: 0, text: 'Pixiecore' },
    };
    expect(accepted(readPxeVendorOptions(one(43, digits)))).toEqual(value);
    expect(pxeVendorOption(value)).toEqual({ code: 43, data: bytes(digits) });
  });
  test('"just boot the file"', () => expect(pxeVendorOption({ discoveryControl: 8 }).data).toEqual(bytes('060108ff')));
  test('every other sub-option is kept, in order', () => {
    const value: PxeVendorOptions = {
      discoveryControl: 0,
      discoveryMulticast: ip('224.0.1.2'),
      bootServers: [
        { type: 0, addresses: [] },
        { type: 1, addresses: [ip('10.0.0.1'), ip('10.0.0.2')] },
      ],
      bootItem: { type: 0x8000, layer: 0x8001 },
      others: [
        { code: 1, data: bytes('e0000102') },
        { code: 128, data: bytes('') },
      ],
    };
    expect(accepted(decodePxeVendorOptions(pxeVendorOption(value).data))).toEqual(value);
    expect(accepted(decodePxeVendorOptions(bytes('')))).toEqual({});
    expect(pxeVendorOption({}).data).toEqual(bytes('ff'));
  });
  test.each([
    ['truncated', '0601', 'sub-option 6 claims'],
    ['control of two bytes', '06020800', 'PXE sub-option 6: has 2 bytes, not 1'],
    ['half a multicast address', '07020a00', 'PXE sub-option 7'],
    ['fewer servers than counted', '0803000102', 'PXE sub-option 8: addresses needs 8 bytes'],
    ['a menu text too short', '090400010561', 'PXE sub-option 9: description needs 5'],
    ['an empty prompt', '0a00', 'PXE sub-option 10: timeout needs 1'],
    ['half a boot item', '47028000', 'PXE sub-option 71: layer needs 2'],
  ])('%s is refused', (_, digits, reason) => {
    expect(decodePxeVendorOptions(bytes(digits))).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });
});

describe("iPXE's option 175", () => {
  // As Debian's snponly.efi sends it under QEMU: virtio-net 1af4:1000.
  const digits = 'b105011af41000 eb03010000 170101 240101 130101 110101 270101 290101 150101';
  test('tells features, version and card', () => {
    const ipxe = accepted(readIpxeOptions(one(175, digits)));
    expect(ipxe.version).toEqual({ major: 1, minor: 0, patch: 0 });
    expect(ipxe.pci).toEqual({ vendor: 0x1af4, device: 0x1000 });
    expect([...ipxe.features].toSorted((a, b) => a - b)).toEqual([0x11, 0x13, 0x15, 0x17, 0x24, 0x27, 0x29]);
    expect(ipxe.features.has(IpxeFeature.HTTP)).toBe(true);
    expect(ipxe.features.has(IpxeFeature.BZIMAGE)).toBe(false);
    expect(ipxeOption(ipxe.subOptions)).toEqual({ code: 175, data: bytes(digits) });
  });
  test('a feature of value 0 is none, an odd version and bus are left alone', () => {
    const ipxe = accepted(readIpxeOptions(one(175, '130100 eb0101 b105020102 0304')));
    expect(ipxe).toMatchObject({ features: new Set(), subOptions: { length: 3 } });
    expect(ipxe).not.toHaveProperty('version');
    expect(ipxe).not.toHaveProperty('pci');
  });
  test('no wait for a proxy offer is four bytes', () =>
    expect(ipxeOption([{ code: IpxeCode.NO_PROXY, data: bytes('01') }]).data).toEqual(bytes('b00101')));
  test('a truncated one is refused', () => refused(readIpxeOptions(one(175, 'b105')), 0, 'sub-option 177 claims'));
});
