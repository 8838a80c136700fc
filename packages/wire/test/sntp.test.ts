import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSntpAnswer, encodeSntpRequest, hex } from '../src/index.ts';
import { accepted, bytes, refused } from './helpers.ts';

const cookie = bytes('0102030405060708');

/** A stratum 2 server on 2026-11-21: asked at 10:00:00.250, answering at 10:00:00.500. */
const answer = bytes(`
  24 02 06 e9  00000010 00000020 c0000201
  eeabea02 00000000  0102030405060708
  eeabea20 40000000  eeabea20 80000000`);

const changed = (offset: number, ...values: readonly number[]): Uint8Array => {
  const copy = answer.slice();
  copy.set(values, offset);
  return copy;
};

describe('SNTP', () => {
  test('asks as a client of version 4, with a cookie for its own time', () => {
    const request = encodeSntpRequest(cookie);
    expect(hex(request)).toBe(`23${'00'.repeat(39)}0102030405060708`);
    expect(hex(encodeSntpRequest(bytes('010203040506070809')))).toBe(hex(request));
  });

  test('reads when the server got the request, and when it answered', () => {
    const at = Date.UTC(2026, 10, 21, 10);
    expect(accepted(decodeSntpAnswer(answer, cookie))).toEqual({
      receivedAtMs: at + 250,
      sentAtMs: at + 500,
      stratum: 2,
    });
  });

  test('knows the era that begins in 2036', () => {
    const { sentAtMs } = accepted(decodeSntpAnswer(changed(40, 0, 0, 0, 1, 0, 0, 0, 0), cookie));
    expect(new Date(sentAtMs).toISOString()).toBe('2036-02-07T06:28:17.000Z');
  });

  test('refuses what is no answer to its request', () => {
    refused(decodeSntpAnswer(changed(0, 0x23), cookie), 0, 'mode 3 is not a server');
    refused(decodeSntpAnswer(answer, bytes('ffffffffffffffff')), 24, 'it answers another request');
  });

  test('refuses a server that does not know the time, or wants to be left alone', () => {
    refused(decodeSntpAnswer(changed(0, 0xe4), cookie), 0, 'does not know the time');
    refused(decodeSntpAnswer(changed(1, 16), cookie), 0, 'does not know the time');
    refused(decodeSntpAnswer(changed(40, 0, 0, 0, 0, 0, 0, 0, 0), cookie), 40, 'it says no time');
    refused(decodeSntpAnswer(changed(1, 0, 6, 0xe9), cookie), 1, 'the server refuses');
    const kiss = changed(12, ...bytes('52415407'));
    kiss[1] = 0;
    refused(decodeSntpAnswer(kiss, cookie), 1, /^the server refuses: RAT\?$/);
  });

  test('every truncation and any bytes are a value', () => {
    for (let length = 0; length < answer.length; length += 1)
      expect(decodeSntpAnswer(answer.subarray(0, length), cookie)).toMatchObject({
        ok: false,
        offset: expect.any(Number),
      });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (any) => {
        decodeSntpAnswer(any, cookie);
      }),
    );
  });
});
