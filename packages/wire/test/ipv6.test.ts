import { describe, expect, test } from 'vitest';
import {
  bytesOfIpv6,
  ipv6OfBigInt,
  ipv6OfBytes,
  ipv6ToBigInt,
  isLinkLocal,
  isMulticast6,
  macOfEui64,
  parseIpv6,
  parseIpv6Subnet,
  subnet6Contains,
  type Ipv6,
} from '../src/index.ts';
import { accepted, bytes, refused } from './helpers.ts';

const ip6 = (text: string): Ipv6 => accepted(parseIpv6(text));

test.each([
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0db8::0001', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['::ffff:a00:1', '::ffff:10.0.0.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['1:2:3:4:5:6:192.0.2.33', '1:2:3:4:5:6:c000:221'],
])('%s is written %s, as RFC 5952 has it, and keeps its bytes', (text, canonical) => {
  expect(ip6(text)).toBe(canonical);
  expect(ip6(canonical)).toBe(canonical);
  expect(accepted(ipv6OfBytes(bytesOfIpv6(ip6(text))))).toBe(canonical);
  expect(ipv6OfBigInt(ipv6ToBigInt(ip6(text)))).toBe(canonical);
});

test.each([
  '',
  ':',
  '1',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '1:2:3:4:5:6:7::8',
  '12345::',
  'fe80::1%eth0',
  '::1.2.3',
  '1.2.3.4',
  '1.2.3.4::',
  ':::',
  '1:2:3:4:5:6:7:1.2.3.4',
])('"%s" is no address', (text) => refused(parseIpv6(text), 0, 'is no IPv6 address'));

test('other than sixteen bytes are no address', () => refused(ipv6OfBytes(bytes('00')), 0, 'not 1'));

describe('a subnet', () => {
  test('contains its own', () => {
    const subnet = accepted(parseIpv6Subnet('2001:db8:1::/64'));
    expect(subnet).toEqual({ network: '2001:db8:1::', prefixLength: 64 });
    expect(subnet6Contains(subnet, ip6('2001:db8:1::ffff:1'))).toBe(true);
    expect(subnet6Contains(subnet, ip6('2001:db8:1:1::1'))).toBe(false);
    expect(subnet6Contains(accepted(parseIpv6Subnet('::/0')), ip6('ff02::1'))).toBe(true);
    expect(subnet6Contains(accepted(parseIpv6Subnet('::1/128')), ip6('::2'))).toBe(false);
  });
  test.each(['2001:db8::/129', '2001:db8::', 'x/64', '2001:db8::/', '10.0.0.0/8'])('is not %s', (text) =>
    refused(parseIpv6Subnet(text), 0, 'is no subnet'),
  );
  test('has no host bits', () => refused(parseIpv6Subnet('2001:db8::1/64'), 0, 'bits set beyond'));
});

test('kinds of addresses', () => {
  expect(['fe80::1', 'febf::1', 'fec0::1', 'fe8::1', '2001:db8::1'].map((text) => isLinkLocal(ip6(text)))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(['ff02::1:2', 'ff1::1', 'fe80::1'].map((text) => isMulticast6(ip6(text)))).toEqual([true, false, false]);
});

test('a MAC is found in a modified EUI-64 address, and only there', () => {
  expect(macOfEui64(ip6('fe80::5054:ff:fe00:101'))).toBe('52:54:00:00:01:01');
  expect(macOfEui64(ip6('fe80::1'))).toBeUndefined();
  expect(macOfEui64(ip6('fe80::5054:ff:ff00:101'))).toBeUndefined();
});
