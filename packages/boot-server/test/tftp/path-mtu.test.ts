import { describe, expect, it } from 'vitest';
import { ethernetMtu, interfaceMtu, pathBlksize } from '../../src/tftp/path-mtu.ts';

describe('the largest block', () => {
  it.each([
    ['IPv4 on Ethernet', 1_500, '10.0.0.1', 1_468],
    ['IPv6 on Ethernet', 1_500, 'fd00::1', 1_448],
    ['IPv4 on jumbo frames', 9_000, '10.0.0.1', 8_968],
    ['IPv4 on loopback', 65_536, '127.0.0.1', 65_464],
    ['IPv4 where the MTU makes no sense', 0, '10.0.0.1', 544],
    ['IPv6 where the MTU makes no sense', 68, 'fd00::1', 1_228],
  ])('fits one packet of %s', (_what, mtu, local, blksize) => {
    expect(pathBlksize(() => mtu, local, local)).toBe(blksize);
  });

  it('is taken from the interface that has the address', () => {
    expect(interfaceMtu('127.0.0.1', '127.0.0.1')).toBe(65_536);
  });

  it('is that of Ethernet where no interface has the address', () => {
    expect(interfaceMtu('192.0.2.1', '192.0.2.2')).toBe(1_500);
    expect(ethernetMtu('127.0.0.1', '127.0.0.1')).toBe(1_500);
  });
});
