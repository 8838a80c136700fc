import { describe, expect, it } from 'vitest';
import { FIRMWARE_NAMES } from '../../src/decide/architectures.ts';
import type { BootRequest } from '../../src/decide/client.ts';
import { bootFilePath, decideBoot, parseBootFilePath } from '../../src/decide/decision.ts';
import { MAC_1, UUID } from '../support/dhcp-messages.ts';

const config = { httpUrl: 'http://10.0.0.1:8080', binaries: { bios: 'undionly.kpxe', efiX64: 'snponly.efi' } };
const SCRIPT = (arch: string): string => `http://10.0.0.1:8080/_/ipxe?arch=${arch}&mac=${MAC_1}&uuid=${UUID}`;

function request(change: Partial<BootRequest>): BootRequest {
  return {
    mac: MAC_1,
    uuid: UUID,
    vendorClass: undefined,
    architectures: [],
    userClasses: [],
    ipxeFeatures: undefined,
    ...change,
  };
}

it('an iPXE that says that it speaks HTTPS gets its script over that, where it is configured; no other does', () => {
  const over = (features: readonly number[], httpsUrl?: string): unknown => {
    const decided = decideBoot(request({ ipxeFeatures: new Set(features) }), { ...config, httpsUrl });
    return decided.kind === 'script' ? new URL(decided.url).origin : decided;
  };
  expect(over([0x13, 0x14, 0x24], 'https://boot.example:8443')).toBe('https://boot.example:8443');
  expect(over([0x13, 0x24], 'https://boot.example:8443')).toBe('http://10.0.0.1:8080');
  expect(over([0x13, 0x14, 0x24])).toBe('http://10.0.0.1:8080');
});

const HTTP_BIOS = new Set([0x13, 0x15, 0x18]);
const HTTP_EFI = new Set([0x13, 0x15, 0x24]);

describe('what a client is told to load', () => {
  it.each<[string, Partial<BootRequest>, ReturnType<typeof decideBoot>]>([
    [
      'a plain BIOS ROM loads undionly by TFTP',
      { vendorClass: 'PXEClient:Arch:00000:UNDI:002001', architectures: [0] },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/undionly.kpxe', firmware: 'bios' },
    ],
    [
      'a BIOS ROM from before option 93 loads undionly by TFTP',
      { vendorClass: 'PXEClient' },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/undionly.kpxe', firmware: 'bios' },
    ],
    [
      'EDK2 loads snponly by TFTP',
      { vendorClass: 'PXEClient:Arch:00007:UNDI:003000', architectures: [7] },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/snponly.efi', firmware: 'efiX64' },
    ],
    [
      'firmware that lists several types is served by the first one there is an iPXE for',
      { vendorClass: 'PXEClient', architectures: [0x1d, 9] },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/snponly.efi', firmware: 'efiX64' },
    ],
    [
      'UEFI HTTP boot gets a URL',
      { vendorClass: 'HTTPClient:Arch:00016:UNDI:003000', architectures: [16] },
      { kind: 'chain-http', url: 'http://10.0.0.1:8080/boot/52-54-00-00-01-01/snponly.efi', firmware: 'efiX64' },
    ],
    [
      'an iPXE ROM with HTTP and bzImage goes straight to the script',
      {
        vendorClass: 'PXEClient:Arch:00000:UNDI:002001',
        architectures: [0],
        userClasses: ['iPXE'],
        ipxeFeatures: HTTP_BIOS,
      },
      { kind: 'script', url: SCRIPT('0') },
    ],
    [
      'an EFI iPXE with HTTP goes straight to the script',
      {
        vendorClass: 'PXEClient:Arch:00007:UNDI:003010',
        architectures: [7],
        userClasses: ['iPXE'],
        ipxeFeatures: HTTP_EFI,
      },
      { kind: 'script', url: SCRIPT('1') },
    ],
    [
      'iPXE chained by iPXE, whose option 60 is short, goes straight to the script',
      { vendorClass: 'PXEClient', architectures: [0], userClasses: ['iPXE'], ipxeFeatures: HTTP_BIOS },
      { kind: 'script', url: SCRIPT('0') },
    ],
    [
      'an iPXE without HTTP is given one with it',
      {
        vendorClass: 'PXEClient:Arch:00000:UNDI:002001',
        architectures: [0],
        userClasses: ['iPXE'],
        ipxeFeatures: new Set([0x15, 0x18]),
      },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/undionly.kpxe', firmware: 'bios' },
    ],
    [
      'an iPXE with HTTP that cannot start a kernel is given one that can',
      {
        vendorClass: 'PXEClient:Arch:00000:UNDI:002001',
        architectures: [0],
        userClasses: ['iPXE'],
        ipxeFeatures: new Set([0x13]),
      },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/undionly.kpxe', firmware: 'bios' },
    ],
    [
      'user class iPXE alone says nothing about HTTP',
      { vendorClass: 'PXEClient:Arch:00007:UNDI:003010', architectures: [7], userClasses: ['iPXE'] },
      { kind: 'chain-tftp', path: '52-54-00-00-01-01/snponly.efi', firmware: 'efiX64' },
    ],
    [
      'an embedded-script build goes to the script',
      { vendorClass: 'PXEClient', architectures: [7], userClasses: ['pixiecore'] },
      { kind: 'script', url: SCRIPT('1') },
    ],
    ['an operating system is not booting', { vendorClass: 'udhcp 1.35.0' }, { kind: 'ignore', reason: 'not-booting' }],
    ['a client without any class is not booting', {}, { kind: 'ignore', reason: 'not-booting' }],
    [
      'a machine without an iPXE for it is left alone',
      { vendorClass: 'PXEClient', architectures: [12] },
      { kind: 'ignore', reason: 'unknown-architecture' },
    ],
    [
      'a machine whose iPXE is not configured is left alone',
      { vendorClass: 'PXEClient', architectures: [11] },
      { kind: 'ignore', reason: 'no-binary' },
    ],
  ])('%s', (_name, change, expected) => {
    expect(decideBoot(request(change), config)).toEqual(expected);
  });

  // IANA's "processor architecture types", as firmware sends them.
  it.each([
    [0, 'bios', 'tftp'],
    [6, 'efiIa32', 'tftp'],
    [7, 'efiX64', 'tftp'],
    [9, 'efiX64', 'tftp'],
    [10, 'efiArm32', 'tftp'],
    [11, 'efiArm64', 'tftp'],
    [15, 'efiIa32', 'http'],
    [16, 'efiX64', 'http'],
    [17, 'efiX64', 'http'],
    [18, 'efiArm32', 'http'],
    [19, 'efiArm64', 'http'],
    [20, 'bios', 'http'],
    [22, 'efiArm64', 'tftp'],
    [24, 'efiArm64', 'http'],
    [27, 'efiRiscv64', 'tftp'],
    [28, 'efiRiscv64', 'http'],
    [39, 'efiLoong64', 'tftp'],
    [40, 'efiLoong64', 'http'],
  ] as const)('firmware of type %i is given the binary of %s over %s', (type, firmware, loads) => {
    const binaries = Object.fromEntries(FIRMWARE_NAMES.map((name) => [name, `${name}.bin`]));
    const vendorClass = `${loads === 'http' ? 'HTTP' : 'PXE'}Client:Arch:${String(type).padStart(5, '0')}:UNDI:003000`;
    const path = `52-54-00-00-01-01/${firmware}.bin`;
    expect(decideBoot(request({ vendorClass, architectures: [type] }), { ...config, binaries })).toEqual(
      loads === 'http'
        ? { kind: 'chain-http', url: `http://10.0.0.1:8080/boot/${path}`, firmware }
        : { kind: 'chain-tftp', path, firmware },
    );
  });

  it('leaves the uuid out of the script URL when firmware shows none', () => {
    const decision = decideBoot(
      request({ uuid: undefined, vendorClass: 'PXEClient', architectures: [0], ipxeFeatures: HTTP_BIOS }),
      config,
    );
    expect(decision).toEqual({ kind: 'script', url: `http://10.0.0.1:8080/_/ipxe?arch=0&mac=${MAC_1}` });
  });
});

describe('boot file paths', () => {
  it('come apart as they were made', () => {
    expect(parseBootFilePath(bootFilePath(MAC_1, 'snponly.efi'))).toEqual({ mac: MAC_1, file: 'snponly.efi' });
  });

  it('may come without a NIC, or with another beginning', () => {
    expect(parseBootFilePath('snponly.efi')).toEqual({ mac: undefined, file: 'snponly.efi' });
    expect(parseBootFilePath('some/dir/snponly.efi')).toEqual({ mac: undefined, file: 'some/dir/snponly.efi' });
  });

  it('takes the doubled slash of shim, which asks so after UEFI HTTP boot', () => {
    expect(parseBootFilePath('52-54-00-00-01-01//grubx64.efi')).toEqual({ mac: MAC_1, file: 'grubx64.efi' });
  });
});
