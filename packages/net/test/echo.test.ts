import { describe, expect, it } from 'vitest';
import { echoRequest } from '../src/native/echo.ts';
import { internetChecksum } from '../src/native/internet-checksum.ts';

describe('an echo request', () => {
  it('is what RFC 792 says, with its checksum', () => {
    expect(Buffer.from(echoRequest(0x1234, 0x0001)).toString('hex')).toBe('0800e5ca12340001');
    expect(internetChecksum(echoRequest(0xffff, 0xffff))).toBe(0);
  });

  it('has the checksum of RFC 1071, over an odd number of bytes, too', () => {
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xffff - 0xddf2);
    // 0xff00 + 0x0100 = 0x10000, and the carry comes round.
    expect(internetChecksum(Uint8Array.of(0xff, 0x00, 0x01))).toBe(0xfffe);
  });
});
