import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineConfig, listenAddress, loadConfig, parseListenAddress, Redactor, secret } from '../src/index.ts';

/** What is said about `value: <yaml>` under a schema. */
async function wordsFor(schema: z.ZodType, yaml: string): Promise<string> {
  const definition = defineConfig({ name: 'words', schema: z.object({ value: schema }) });
  const loaded = await loadConfig(definition, {
    argv: [],
    env: {},
    file: 'f',
    readText: async () => `value: ${yaml}\n`,
  });
  return loaded.kind === 'error' ? loaded.error.message.replace(/^f:1:8: /, '') : loaded.kind;
}

describe('the words for a wrong value', () => {
  it.each([
    [z.int(), '1.5', 'value: found 1.5; write a whole number'],
    [z.boolean(), '"yes"', 'value: found "yes"; write true or false'],
    [z.array(z.string()), 'a', 'value: found "a"; write a list'],
    [z.object({ a: z.string() }), '[]', 'value: found a list; write a mapping (lines of "key: value")'],
    [z.record(z.string(), z.string()), '3', 'value: found 3; write a mapping (lines of "key: value")'],
    [z.string(), '{a: 1}', 'value: found a mapping; write a text'],
    [z.string(), '', 'value: found nothing; write a text'],
    [z.string(), 'null', 'value: found nothing; write a text'],
    [z.number().max(5), '6', 'value: found 6; write at most 5'],
    [z.number().gt(5), '5', 'value: found 5; write more than 5'],
    [z.number().lt(5), '5', 'value: found 5; write less than 5'],
    [z.number().multipleOf(5), '6', 'value: found 6; write a multiple of 5'],
    [z.string().max(2), 'abc', 'value: found "abc"; write at most 2 characters'],
    [z.array(z.string()).min(1), '[]', 'value: found a list; write at least 1 entries'],
    [z.url(), 'x', 'value: found "x"; write a URL, as https://10.0.0.1:9443'],
    [z.string().regex(/^a$/), 'b', 'value: found "b"; write a text that matches /^a$/'],
    [z.literal('on'), 'off', 'value: found "off"; write on'],
    [
      z.record(z.string().regex(/^a$/, 'write a'), z.string()),
      '{b: c}',
      'value.b: found "c"; for the name before it, write a',
    ],
    [
      z.union([z.ipv4(), z.ipv6()]),
      'x',
      'value: found "x"; write an IPv4 address, as 10.0.0.1, or an IPv6 address, as fd00::1',
    ],
    [z.string().refine((text) => text === 'a'), 'b', 'value: found "b"; write a value that is accepted here'],
    [z.string().refine((text) => text === 'a', 'write a'), 'b', 'value: found "b"; write a'],
    [z.string().max(3), 'x'.repeat(80), `value: found "${'x'.repeat(59)}…; write at most 3 characters`],
    [
      z.string().max(3),
      'postgres://u:a@b:c@host/x?password=d',
      'value: found "postgres://u:[redacted]@host/x?password=[redacted]"; write at most 3 characters',
    ],
    [secret(z.string().max(3)), 'hidden', 'value: found a value that is not shown; write at most 3 characters'],
    [
      z.array(z.object({ key: secret(z.string()).optional() })),
      '[{key: 5}]',
      'value[0].key: found a value that is not shown; write a text',
    ],
  ])('%#: %s', async (schema, yaml, words) => {
    expect((await wordsFor(schema, yaml)).replace(/^f:1:\d+: /, '')).toBe(words);
  });

  it('refuses a schema in which two settings would share a flag', async () => {
    const schema = z.object({ a: z.object({ bC: z.string() }), aB: z.object({ c: z.string() }) });
    const definition = defineConfig({ name: 'twice', schema });
    await expect(loadConfig(definition, { argv: [], env: {} })).rejects.toThrow(
      'aB.c and a.bC have the same flag --a-b-c',
    );
  });
});

describe('listen addresses', () => {
  it.each([
    ['10.0.0.1:80', { kind: 'tcp', address: '10.0.0.1', port: 80 }],
    ['[::1]:0', { kind: 'tcp', address: '::1', port: 0 }],
    ['unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
  ])('%s is one', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    expect(listenAddress().safeParse(text).success).toBe(true);
  });

  it.each([
    '',
    ':80',
    '80',
    'localhost:80',
    '10.0.0.1',
    '10.0.0.1:65536',
    '10.0.0.1:',
    '::1:80',
    '[10.0.0.1]:80',
    'unix:x',
  ])('"%s" is none', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
    expect(listenAddress().safeParse(text).success).toBe(false);
  });
});

describe('the redactor', () => {
  it('leaves no rest of a secret that begins with another', () => {
    const redactor = new Redactor(['secret', 'secret-and-more']);
    expect(redactor.text('secret-and-more, secret')).toBe('[redacted], [redacted]');
  });

  it('leaves texts alone that are too short to be secrets', () => {
    expect(new Redactor(['a', '']).text('banana')).toBe('banana');
  });

  it.each(['token', 'adminToken', 'ADMIN_PASSWORD', 'client-secret', 'privateKey', 'set-cookie'])(
    'knows %s as a secret key',
    (key) => {
      expect(new Redactor().isSecretKey(key)).toBe(true);
    },
  );

  it.each(['tokenFile', 'tokens', 'key', 'secretary', 'mac'])('knows %s as none', (key) => {
    expect(new Redactor().isSecretKey(key)).toBe(false);
  });
});
