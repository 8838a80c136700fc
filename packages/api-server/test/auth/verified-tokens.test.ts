import { expect, test } from 'vitest';
import { createVerifiedTokens, type VerifiedToken } from '../../src/auth/verified-tokens.ts';

const token = (uuid: string): VerifiedToken => ({ uuid, notBefore: 0, notAfter: 1 });

test('a token is known by every letter of it', () => {
  const verified = createVerifiedTokens();
  verified.add('head.body.signature', token('a'));
  expect(verified.get('head.body.signature')).toEqual(token('a'));
  for (const other of ['head.body.signaturf', 'head.body.signature ', 'head.body.', ''])
    expect(verified.get(other)).toBeUndefined();
});

test('beyond 16,384 the one that was not shown for the longest time is forgotten', () => {
  const verified = createVerifiedTokens();
  for (let n = 0; n < 16_384; n += 1) verified.add(`${n}`, token(`${n}`));
  expect(verified.get('0')).toEqual(token('0'));
  verified.add('one more', token('x'));
  expect(verified.get('1')).toBeUndefined();
  expect([verified.get('0'), verified.get('2'), verified.get('one more')]).not.toContain(undefined);
});
