import { describe, expect, test } from 'vitest';
import {
  bytesOfIpv4,
  bytesOfMac,
  bytesOfMachineUuid,
  Cursor,
  equalBytes,
  hex,
  IPV4_ANY,
  ipv4OfBytes,
  ipv4OfNumber,
  ipv4ToNumber,
  isUnsetUuid,
  macOfBytes,
  machineUuidOfBytes,
  parseIpv4,
  parseIpv4Subnet,
  parseMac,
  parseMachineUuid,
  subnetBroadcast,
  subnetContains,
  subnetMask,
} from '../src/index.ts';
import { byteAt } from '../src/bytes.ts';
import { bytesOfLatin1 } from '../src/text.ts';
import { accepted, bytes, ip, refused } from './helpers.ts';

describe('MAC', () => {
  test.each(['52:54:00:0A:01:FF', '52-54-00-0a-01-ff', '5254.000a.01ff', '5254000a01ff'])(
    '%s is read into lowercase with colons',
    (text) => {
      const mac = accepted(parseMac(text));
      expect(mac).toBe('52:54:00:0a:01:ff');
      expect(bytesOfMac(mac)).toEqual(bytes('52 54 00 0a 01 ff'));
    },
  );
  test.each(['', '52:54:00:0a:01', '52:54:00:0a:01:fg', '52:54-00:0a:01:ff', '52:54:00:0a:01:ff:00'])(
    '%j is refused',
    (text) => refused(parseMac(text), 0, 'is no MAC address'),
  );
  test('six bytes and no other number make one', () => {
    expect(accepted(macOfBytes(bytes('0102030405ff')))).toBe('01:02:03:04:05:ff');
    refused(macOfBytes(bytes('0102')), 0, 'has 6 bytes, not 2');
  });
});

describe('IPv4', () => {
  test.each(['0.0.0.0', '10.0.0.1', '255.255.255.255', '192.168.100.9'])(
    '%s comes back from bytes and number',
    (text) => {
      expect(accepted(ipv4OfBytes(bytesOfIpv4(ip(text))))).toBe(text);
      expect(ipv4OfNumber(ipv4ToNumber(ip(text)))).toBe(text);
    },
  );
  test.each(['', '10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.1 ', '10.0.0.0.1', '999.1.1.1'])(
    '%j is refused',
    (text) => refused(parseIpv4(text), 0, 'is no IPv4 address'),
  );
  test('three bytes are refused', () => refused(ipv4OfBytes(bytes('0a0000')), 0, 'has 4 bytes, not 3'));
  test('a subnet knows its members, mask and broadcast address', () => {
    const subnet = accepted(parseIpv4Subnet('10.0.1.0/25'));
    expect(subnetContains(subnet, ip('10.0.1.127'))).toBe(true);
    expect(subnetContains(subnet, ip('10.0.1.128'))).toBe(false);
    expect(subnetMask(subnet)).toBe('255.255.255.128');
    expect(subnetBroadcast(subnet)).toBe('10.0.1.127');
  });
  test('the shortest and the longest prefix work', () => {
    expect(subnetContains(accepted(parseIpv4Subnet('0.0.0.0/0')), ip('203.0.113.9'))).toBe(true);
    expect(subnetMask(accepted(parseIpv4Subnet('0.0.0.0/0')))).toBe(IPV4_ANY);
    expect(subnetContains(accepted(parseIpv4Subnet('10.0.0.1/32')), ip('10.0.0.2'))).toBe(false);
  });
  test.each(['10.0.1.0', '10.0.1.0/33', '10.0.1.0/', '10.0.1/24', '10.0.1.0/24/'])('the subnet %j is refused', (text) =>
    refused(parseIpv4Subnet(text), 0, 'is no subnet'),
  );
  test('a subnet with host bits is refused', () => refused(parseIpv4Subnet('10.0.1.1/24'), 0, 'bits set beyond'));
});

describe('machine UUID', () => {
  // boot-server spec: what firmware sent, and the text SMBIOS tools show for it.
  const wire = bytes('8e12374b 726e 8d4a 87da 8ad4d775582c');
  test('the first three fields are little-endian on the wire', () => {
    const before = wire.slice();
    expect(accepted(machineUuidOfBytes(wire))).toBe('4b37128e-6e72-4a8d-87da-8ad4d775582c');
    expect(wire).toEqual(before);
    expect(bytesOfMachineUuid(accepted(parseMachineUuid('4B37128E-6e72-4a8d-87da-8ad4d775582c')))).toEqual(wire);
  });
  test('other lengths and texts are refused', () => {
    refused(machineUuidOfBytes(wire.subarray(1)), 0, 'has 16 bytes, not 15');
    refused(parseMachineUuid('4b37128e6e724a8d87da8ad4d775582c'), 0, 'is no UUID');
  });
  test.each([
    ['00000000-0000-0000-0000-000000000000', true],
    ['ffffffff-ffff-ffff-ffff-ffffffffffff', true],
    ['FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', true],
    ['ffffffff-ffff-ffff-ffff-fffffffffff0', false],
    ['00000000-0000-0000-0000-000000000001', false],
    ['4b37128e-6e72-4a8d-87da-8ad4d775582c', false],
  ])('%s is no machine’s: %s', (text, isUnset) => {
    expect(isUnsetUuid(text)).toBe(isUnset);
  });
});

describe('cursor', () => {
  test('reads big-endian numbers and windows in order', () => {
    const cursor = new Cursor(bytes('01 0203 04050607 08 09 0a'));
    expect([cursor.uint8('a'), cursor.uint16('b'), cursor.uint32('c')]).toEqual([1, 0x0203, 0x04050607]);
    expect(cursor.take(1, 'd')).toEqual(bytes('08'));
    expect([cursor.offset, cursor.remaining]).toEqual([8, 2]);
    expect(cursor.rest()).toEqual(bytes('090a'));
    expect(cursor.overrun).toBeUndefined();
  });
  test('remembers the first read that found too little and yields nothing from then on', () => {
    const cursor = new Cursor(bytes('010203'));
    cursor.uint16('first');
    expect(cursor.uint32('second')).toBe(0);
    expect([cursor.uint8('third'), cursor.uint16('fourth'), cursor.take(1, 'fifth').length]).toEqual([0, 0, 0]);
    refused(cursor.overrun, 2, 'second needs 4 bytes, 1 are left');
  });
  test('never leaves the buffer, whatever bounds it is given', () => {
    expect(new Cursor(bytes('0102'), 5, 9).remaining).toBe(0);
    expect(new Cursor(bytes('010203'), 1, 2).rest()).toEqual(bytes('02'));
  });
});

test('a byte past the end is 0', () => expect(byteAt(bytes('01'), 1)).toBe(0));
test('bytes are equal by content and length', () => {
  expect(equalBytes(bytes('0102'), bytes('0102'))).toBe(true);
  expect(equalBytes(bytes('0102'), bytes('0103'))).toBe(false);
  expect(equalBytes(bytes('0102'), bytes('01'))).toBe(false);
});
test('hex digits take a separator', () => expect(hex(bytes('00ff'), '-')).toBe('00-ff'));
test('a character that no byte holds throws', () => expect(() => bytesOfLatin1('aé€')).toThrow('character 2'));
