import { describe, expect, test } from 'vitest';
import { dhcp6Schema } from '../../src/config/dhcp6.ts';
import {
  fileName,
  httpListen,
  ipv4,
  network,
  ownAddresses,
  ownPlaces,
  parseInterfaceListen,
} from '../../src/config/fields.ts';

type Table = readonly (readonly [text: string, isTaken: boolean])[];

const places: Table = [
  ['10.0.0.1', true],
  ['2001:db8::1', true],
  ['fe80::1%eth1', true],
  ['FEBF::1%eth1', true],
  ['eth1', true],
  ['bond0.17', true],
  ['::1', true],
  ['2001:db8::10', true],
  ['2001:fe80::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['0:0::0', false],
  ['fe80::1', false],
  ['2001:db8::1%eth1', false],
  ['fe8::1', true],
  ['eth0:1', false],
  ['10.0.0', false],
  ['a-name-that-is-too-long', false],
  ['', false],
];
const listens: Table = [
  ['10.0.0.1:8080', true],
  ['[fe80::1%eth1]:8080', true],
  ['eth1:8080', true],
  ['eth1:65535', true],
  ['eth1:65536', false],
  ['eth1', false],
  ['eth1:', false],
  ['eth1:80a', false],
  ['a\neth1:80', false],
  ['eth1 :80', false],
  [':80', false],
  ['10.0.0.300:80', false],
];
const networks: Table = [
  ['10.0.1.0/24', true],
  ['10.0.1.1/24', false],
  ['10.0.1.0', false],
];
const names: Table = [
  ['snponly.efi', true],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['../x', false],
  ['a b', false],
];
const addresses: Table = [
  ['10.0.0.1', true],
  ['10.0.0.256', false],
  ['::1', false],
];

describe.each([
  ['a place to listen at', (text: string) => ownPlaces().safeParse([text]).success, places],
  ['a place of HTTP', (text: string) => httpListen().safeParse(text).success, listens],
  ['a network', (text: string) => network().safeParse(text).success, networks],
  ['the name of a file', (text: string) => fileName().safeParse(text).success, names],
  ['an IPv4 address', (text: string) => ipv4().safeParse(text).success, addresses],
  [
    'an own IPv4 address',
    (text: string) => ownAddresses().safeParse([text]).success,
    [...addresses, ['0.0.0.0', false]],
  ],
] satisfies readonly (readonly [string, (text: string) => boolean, Table])[])('%s', (_what, takes, table) => {
  test.each(table)('%j: %s', (text, isTaken) => {
    expect(takes(text)).toBe(isTaken);
  });
});

test('an interface with a port is taken apart', () => {
  expect(parseInterfaceListen('eth1:8080')).toEqual({ name: 'eth1', port: 8080 });
  expect(parseInterfaceListen('10.0.0.1:8080')).toBeUndefined();
});

describe('an IPv6 network', () => {
  const DUID = '00:03:00:01:52:54:00:00:01:01';
  const MAC = '52:54:00:00:01:01';
  const address = '2001:db8:1::5';

  test.each<[string, object, boolean]>([
    ['with a reservation by DUID', { reservations: [{ duid: DUID, address }] }, true],
    ['with a reservation by MAC', { reservations: [{ mac: MAC, address }] }, true],
    ['with a reservation by both', { reservations: [{ duid: DUID, mac: MAC, address }] }, false],
    ['with a reservation by neither', { reservations: [{ address }] }, false],
    ['with a MAC that is none', { reservations: [{ mac: '52:54', address }] }, false],
    ['with a DUID that is none', { reservations: [{ duid: 'x', address }] }, false],
    ['with lifetimes that are the same', { preferredSeconds: 600, validSeconds: 600 }, true],
    ['that is preferred for longer than it is valid', { preferredSeconds: 601, validSeconds: 600 }, false],
    ['with a pool', { pool: '2001:db8:1::1-2001:db8:1::9' }, true],
    ['with a pool the wrong way round', { pool: '2001:db8:1::9-2001:db8:1::1' }, false],
    ['with domains', { domains: ['rack.example'] }, true],
    ['with a domain that is none', { domains: ['rack..example'] }, false],
  ])('%s: %j: %s', (_what, change, isTaken) => {
    const parsed = dhcp6Schema.safeParse({
      listen: ['2001:db8::1'],
      subnets: [{ subnet: '2001:db8:1::/64', ...change }],
    });
    expect(parsed.success).toBe(isTaken);
  });
});
