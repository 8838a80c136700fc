import { describe, expect, it } from 'vitest';
import { packSocketAddress } from '../src/native/socket-address.ts';

const hex = (address: string, port: number): string =>
  Buffer.from(packSocketAddress({ address, port })).toString('hex');

describe('a socket address', () => {
  it.each([
    ['10.9.0.1', 69, '02000045 0a090001 00000000 00000000'],
    ['::1', 65_535, '0a00ffff 00000000 00000000000000000000000000000001 00000000'],
    ['fd00:1::a:0:1', 1, '0a000001 00000000 fd000001000000000000000a00000001 00000000'],
    ['::ffff:1.2.3.4', 2, '0a000002 00000000 00000000000000000000ffff01020304 00000000'],
    ['::', 0, '0a000000 00000000 00000000000000000000000000000000 00000000'],
    ['1:2:3:4:5:6:7:8', 0, '0a000000 00000000 00010002000300040005000600070008 00000000'],
  ])('of %s port %d is as the kernel has it', (address, port, expected) => {
    expect(hex(address, port)).toBe(expected.replaceAll(' ', ''));
  });

  it.each(['example.org', '1.2.3', 'fe80::1%eth0', ''])('is not made of %j', (address) => {
    expect(() => packSocketAddress({ address, port: 1 })).toThrow();
  });
});
