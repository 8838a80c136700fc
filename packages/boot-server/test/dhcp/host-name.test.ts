import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfLatin1, MessageType, OptionCode, textOption, type DhcpOption } from '@ingot/wire';
import { hostNameOf } from '../../src/dhcp/host-name.ts';
import { profileSchema } from '../../src/sources/profile-schema.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { relay } from '../support/dhcp-client.ts';
import { CLIENTS, fieldText, MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';

const fqdn = (flags: number, name: Uint8Array): DhcpOption => ({
  code: OptionCode.CLIENT_FQDN,
  data: Uint8Array.of(flags, 0, 0, ...name),
});
const wire = (...labels: string[]): Uint8Array =>
  Uint8Array.from([...labels.flatMap((label) => [label.length, ...bytesOfLatin1(label)]), 0]);
const nameOf = (...options: DhcpOption[]): string | undefined =>
  hostNameOf(new Map(options.map(({ code, data }) => [code, data])));

describe('the name of a client', () => {
  it.each<[string, DhcpOption[], string | undefined]>([
    ['option 12', [textOption(12, 'GPU-01')], 'gpu-01'],
    ['option 12 with a NUL, as some firmware ends it', [textOption(12, 'gpu-01\0')], 'gpu-01'],
    ['option 12 before option 81', [textOption(12, 'a'), fqdn(4, wire('b'))], 'a'],
    ['option 81 in DNS wire format', [fqdn(4, wire('gpu-01', 'rack', 'Example'))], 'gpu-01.rack.example'],
    ['option 81 in ASCII, as of old', [fqdn(0, bytesOfLatin1('gpu-01.rack.'))], 'gpu-01.rack'],
    ['a name with a blank', [textOption(12, 'gpu 01')], undefined],
    ['a command', [textOption(12, 'x;reboot')], undefined],
    ['an empty one', [textOption(12, '')], undefined],
    ['option 81 without a name', [fqdn(4, new Uint8Array())], undefined],
    ['a label that is cut off', [fqdn(4, Uint8Array.of(9, 97, 98))], undefined],
    ['the longest label', [fqdn(4, wire('a'.repeat(63)))], 'a'.repeat(63)],
    ['a label that is longer', [fqdn(4, wire('a'.repeat(64)))], undefined],
    ['option 81 without the final zero', [fqdn(4, Uint8Array.of(2, 97, 98))], 'ab'],
    ['a pointer', [fqdn(4, Uint8Array.of(0xc0, 0))], undefined],
  ])('%s', (_what, options, expected) => {
    expect(nameOf(...options)).toBe(expected);
  });

  it('is a host name or none, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(12, 81), (data, code) => {
        expect(nameOf({ code, data }) ?? 'none').toMatch(/^[a-z0-9_.-]{1,254}$/);
      }),
    );
  });
});

describe('a profile for names', () => {
  const start = () =>
    startLab({
      config: (dir) => {
        const config = testConfig(dir);
        const reservations = [{ mac: MAC_2, address: '10.0.1.50', hostName: 'GPU-02' }];
        return {
          ...config,
          dhcp: { ...config.dhcp, subnets: [subnetConfig('10.0.0'), subnetConfig('10.0.1', { reservations })] },
          sources: {
            profiles: {
              inline: [
                { name: 'gpu', match: { hostname: 'gpu-*' }, loader: 'gpu.efi', boot: 'hold', message: '${hostname}' },
                { name: 'others', loader: 'other.efi', boot: 'local' },
              ].map((each) => profileSchema.parse(each)),
            },
          },
          boot: { ...config.boot, sources: ['profiles'] },
        };
      },
    });

  it('fits what a client calls itself, and the name of its reservation whatever it calls itself', async () => {
    const lab = await start();
    const via = await relay(lab, '10.0.1.1');
    const loads = async (mac: string, ...options: DhcpOption[]): Promise<string> => {
      const offer = await via.ask(MessageType.DISCOVER, { mac, kind: CLIENTS.edk2 }, options);
      return fieldText(offer?.packet.file ?? new Uint8Array()).replace(/^.*\//, '');
    };
    expect(await loads(MAC_1)).toBe('other.efi');
    expect(await loads(MAC_1, textOption(12, 'Gpu-7'))).toBe('gpu.efi');
    // What it called itself the last time counts while it says nothing.
    expect(await loads(MAC_1)).toBe('gpu.efi');
    expect(await loads(MAC_1, fqdn(4, wire('web-1', 'rack')))).toBe('other.efi');
    expect(await loads(MAC_2, textOption(12, 'web-1'))).toBe('gpu.efi');
    expect(await (await lab.get(`/_/ipxe?arch=1&mac=${MAC_2}&uuid=`)).text()).toContain('echo gpu-02');
  });
});
