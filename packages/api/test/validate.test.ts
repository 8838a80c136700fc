import { describe, expect, test } from 'vitest';
import { apiV2, create, describeViolations, fromBinary, infraV2, toBinary, validate } from '../src/index.ts';
import { textFormats } from '../src/validate/text-format.ts';
import type { TextFormat } from '../src/validate/rule.ts';

const now = Date.UTC(2026, 0, 1);

const samples: Readonly<Record<TextFormat, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  uuid: { good: ['B1A6F1C2-0f5b-4a51-9d0e-6f2f0a1b2c3d'], bad: ['', 'b1a6f1c20f5b4a519d0e6f2f0a1b2c3d', 'x'] },
  mac: { good: ['52:54:00:aa:BB:0c'], bad: ['', '52-54-00-aa-bb-0c', '52:54:00:aa:bb', '52:54:00:aa:bb:0c:00'] },
  uri: { good: ['http://10.0.0.1/k', 'file:///srv/k'], bad: ['', '/srv/k', 'no uri'] },
  hostname: {
    good: ['leaf01', 'leaf01.rack1', 'a-b', 'leaf01.'],
    bad: ['', 'leaf_01', '-leaf', 'a..b', '10.0.0.1', 'x'.repeat(64)],
  },
  ip: { good: ['10.0.0.1', 'fe80::1'], bad: ['', '10.0.0.256', '10.0.0.1/24', 'leaf01'] },
  'ip-prefix': { good: ['10.0.0.0/24', '::/0'], bad: ['', '10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/2/4'] },
  'ip-or-hostname': { good: ['10.0.0.1', 'ntp.lab'], bad: ['', 'ntp_lab'] },
  'host-and-port': {
    good: ['10.0.0.7:623', '[fe80::1]:623', 'bmc.lab:623'],
    bad: ['', '10.0.0.7', '10.0.0.7:', '10.0.0.7:65536', 'fe80::1:623', ':623'],
  },
  base64: { good: ['', 'aGk=', 'aGkh'], bad: ['aGk', 'a b='] },
  'any-or-uuid': { good: ['*', 'b1a6f1c2-0f5b-4a51-9d0e-6f2f0a1b2c3d'], bad: ['', '**'] },
  'any-or-login': { good: ['*', 'me'], bad: ['', 'x'] },
  'rule-comment': { good: ['', 'allow dns'], bad: ['Allow', 'a;b'] },
};

describe('text formats', () => {
  for (const [format, check] of Object.entries(textFormats)) {
    const found = Object.entries(samples).find(([name]) => name === format)?.[1];
    test(`${format} accepts what it should, and only that`, () => {
      expect(found?.good.filter((text) => !check.test(text))).toEqual([]);
      expect(found?.bad.filter((text) => check.test(text))).toEqual([]);
    });
  }
});

describe('validation', () => {
  test('reports every violation at once, with the path to the field', () => {
    const request = create(infraV2.BootServiceRegisterRequestSchema, {
      uuid: 'x',
      partition: 'lab',
      hardware: {
        nics: [
          { mac: '52:54:00:00:00:01', name: 'eth0' },
          { mac: 'bad', name: 'e', neighbors: [{ mac: '', name: 'swp1' }] },
        ],
        disks: [{ name: 'x'.repeat(129) }],
      },
      bmc: { address: '10.0.0.7', mac: '52:54:00:00:00:02' },
    });
    const violations = validate(infraV2.BootServiceRegisterRequestSchema, request, now);
    expect(violations.map(({ path }) => path)).toEqual([
      'uuid',
      'hardware.disks[0].name',
      'hardware.nics[1].mac',
      'hardware.nics[1].name',
      'hardware.nics[1].neighbors[0].mac',
      'bmc.address',
    ]);
    expect(describeViolations(violations)).toContain('hardware.nics[1].mac must be a MAC address');
  });

  test('checks optional fields only when they are set', () => {
    const good = create(apiV2.SwitchNicSchema, { name: 'Ethernet0', identifier: 'Eth1/1' });
    expect(validate(apiV2.SwitchNicSchema, good, now)).toEqual([]);
    good.mac = '';
    expect(validate(apiV2.SwitchNicSchema, good, now)).toMatchObject([{ path: 'mac' }]);
  });

  test('refuses enum values that are not defined, and a required one that is not set', () => {
    const undefinedValue = fromBinary(apiV2.NicStateSchema, Uint8Array.of(0x10, 0x63));
    expect(validate(apiV2.NicStateSchema, undefinedValue, now)).toMatchObject([
      { path: 'actual', reason: expect.stringContaining('99') },
    ]);
    const noFormat = create(apiV2.FilesystemSchema, { device: '/dev/sda1' });
    expect(validate(apiV2.FilesystemSchema, noFormat, now)).toMatchObject([{ path: 'format', reason: 'is required' }]);
  });

  test('checks keys and values of maps', () => {
    const request = create(apiV2.TokenServiceCreateRequestSchema, {
      expires: { seconds: 600n },
      machineRoles: { 'not a uuid': 1 },
    });
    expect(validate(apiV2.TokenServiceCreateRequestSchema, request, now)).toMatchObject([
      { path: 'machine_roles["not a uuid"]' },
    ]);
  });

  test('knows the limits of durations and times', () => {
    const ping = create(infraV2.ComponentServicePingRequestSchema, {
      type: apiV2.ComponentType.METAL_CORE,
      identifier: 'leaf01',
      startedAt: { seconds: BigInt(now / 1000 + 60) },
      interval: { seconds: 4n, nanos: 999_999_999 },
    });
    const reasons = validate(infraV2.ComponentServicePingRequestSchema, ping, now).map(({ path }) => path);
    expect(reasons).toEqual(['started_at', 'interval']);
  });

  test('never throws, whatever bytes a message was decoded from', () => {
    const good = toBinary(
      infraV2.BootServiceRegisterRequestSchema,
      create(infraV2.BootServiceRegisterRequestSchema, {
        uuid: 'b1a6f1c2-0f5b-4a51-9d0e-6f2f0a1b2c3d',
        hardware: { nics: [{ name: 'eth0', neighbors: [{ name: 'swp1' }] }] },
      }),
    );
    for (const index of good.keys()) {
      for (let value = 0; value < 256; value += 1) {
        const bytes = Uint8Array.from(good);
        bytes[index] = value;
        let message: infraV2.BootServiceRegisterRequest;
        try {
          message = fromBinary(infraV2.BootServiceRegisterRequestSchema, bytes);
        } catch {
          continue;
        }
        validate(infraV2.BootServiceRegisterRequestSchema, message, now);
      }
    }
  });

  test('stops at a hundred violations and at sixteen levels', () => {
    let nic = create(apiV2.MachineNicSchema, { mac: 'x', name: 'x' });
    for (let depth = 0; depth < 40; depth += 1) {
      nic = create(apiV2.MachineNicSchema, { mac: 'x', name: 'x', neighbors: [nic] });
    }
    const deep = validate(apiV2.MachineNicSchema, nic, now);
    expect(deep).toHaveLength(2 * 16 + 1);
    expect(deep.some(({ reason }) => reason.includes('nested deeper than 16'))).toBe(true);
    const wide = create(apiV2.MachineHardwareSchema, { disks: Array.from({ length: 1000 }, () => ({ name: '' })) });
    expect(validate(apiV2.MachineHardwareSchema, wide, now)).toHaveLength(100);
  });
});
