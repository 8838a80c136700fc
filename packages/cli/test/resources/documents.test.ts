import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, fromJson, type DescMessage } from '@ingot/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliExit } from '../../src/errors.ts';
import { jsonProblem } from '../../src/resources/json-problem.ts';
import { run, type Answer } from '../api-kit.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-documents-'));
});
afterAll(() => rm(folder, { recursive: true }));

// Documents are read before any API server is looked for.
const apply = (...files: readonly string[]): Promise<Answer> =>
  run(['apply', ...files.flatMap((file) => ['-f', file])]);
const wrong = (stderr: string): Answer => ({ status: CliExit.Usage, stdout: '', stderr: `ingot: ${stderr}\n` });

describe('a file with documents', () => {
  const written = async (text: string): Promise<string> => {
    const file = join(folder, 'documents.yaml');
    await writeFile(file, text);
    return file;
  };

  test.each([
    ['nothing', ''],
    ['blanks', ' \n\n'],
    ['a comment', '# later\n'],
    ['empty documents', '---\n---\n...\n'],
  ])('that holds %s is told of', async (_name, text) => {
    const file = await written(text);
    expect(await apply(file)).toEqual(wrong(`there is no document in ${file}`));
  });

  test.each([
    ['a list', '[1, 2]', 1],
    ['a text', 'kind: size\n---\njust text\n', 3],
  ])('that holds %s is told of, with its line', async (_name, text, line) => {
    const file = await written(text);
    expect(await apply(file)).toEqual(wrong(`${file}:${line}: this document is no mapping of fields to values`));
  });

  test('that is broken is told of, with its line', async () => {
    const file = await written('kind: size\n---\nid: [a\n');
    expect((await apply(file)).stderr).toMatch(/documents\.yaml:4: Flow sequence/);
    expect((await apply(await written('id: a\nid: b\n'))).stderr).toMatch(/:2: Map keys must be unique/);
  });

  test('that cannot be read is told of in plain words', async () => {
    const missing = join(folder, 'missing.yaml');
    expect(await apply(missing)).toMatchObject({
      status: CliExit.Failed,
      stderr: `ingot: ${missing} cannot be read: there is no such file\n`,
    });
    expect((await apply(folder)).stderr).toBe(`ingot: ${folder} cannot be read: it is a directory\n`);
  });

  test('that never ends is left', async () => {
    expect(await apply('/dev/zero')).toEqual(wrong('/dev/zero is larger than 8388608 bytes: split it'));
  });
});

describe('standard input', () => {
  const piped = (...pieces: readonly string[]): Promise<Answer> =>
    run(
      ['apply', '-f', '-'],
      {},
      {
        async *stdin() {
          for (const piece of pieces) {
            await new Promise((resolve) => setImmediate(resolve));
            yield Buffer.from(piece);
          }
        },
      },
    );

  test('may come in pieces, also within a letter', async () => {
    const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
    const answer = await run(
      ['apply', '-f', '-'],
      {},
      {
        async *stdin() {
          yield Buffer.from('kind: size\nid: [');
          yield first;
          yield second;
        },
      },
    );
    expect(answer.stderr).toContain('standard input:2: Flow sequence');
    // A whole document: the next that is missing is the server.
    expect((await piped('kind: si', 'ze\nid: a\n')).stderr).toContain('no API server is known');
  });

  test('without anything is told of', async () => {
    expect(await piped()).toEqual(wrong('there is no document in standard input'));
    expect(await run(['apply', '-f', '-'])).toEqual(wrong('there is no document in standard input'));
  });

  test('without an end is left', async () => {
    const line = 'a'.repeat(2 ** 20);
    const answer = await run(
      ['apply', '-f', '-'],
      {},
      {
        async *stdin() {
          for (;;) yield Buffer.from(line);
        },
      },
    );
    expect(answer).toEqual(wrong('standard input is larger than 8388608 bytes: split it'));
  });
});

describe('a document that is none of its kind', () => {
  const { PartitionSchema, ImageSchema, SizeSchema } = apiV2;
  type Documents = Parameters<typeof fromJson>[1];
  const table: readonly (readonly [DescMessage, Documents, string])[] = [
    [PartitionSchema, { descripton: 'x' }, 'there is no field "descripton"; did you mean description?'],
    [
      PartitionSchema,
      { bootConfiguration: { kernel: 'x' } },
      'there is no field "kernel" in PartitionBootConfiguration; did you mean kernelUrl?',
    ],
    [PartitionSchema, { description: 7 }, 'description: expected string, got 7'],
    [PartitionSchema, { dnsServers: [{ ip: 3 }] }, 'ip of DNSServer: expected string, got 3'],
    [PartitionSchema, { dnsServers: 'x' }, 'dnsServers: expected a list, got "x"'],
    [PartitionSchema, { dnsServers: ['x'] }, 'a DNSServer is written with its fields, ip, not as "x"'],
    [
      ImageSchema,
      { classification: 'PREVUE' },
      '"PREVUE" is none of IMAGE_CLASSIFICATION_PREVIEW, IMAGE_CLASSIFICATION_SUPPORTED, IMAGE_CLASSIFICATION_DEPRECATED',
    ],
    [SizeSchema, { constraints: [{ min: -1 }] }, 'min of SizeConstraint: expected a whole number from 0, got -1'],
    [ImageSchema, { expiresAt: 'tomorrow' }, 'Timestamp: invalid RFC 3339 string'],
    [
      ImageSchema,
      { meta: { labels: { labels: { a: 1 } } } },
      'labels of Labels: map entry "a": expected string, got 1',
    ],
  ];
  test.each(table)('%s %j says what is wrong', (schema, document, words) => {
    let problem: unknown;
    try {
      fromJson(schema, document);
    } catch (error) {
      problem = error;
    }
    expect(jsonProblem(schema, problem)).toBe(words);
  });

  test('is told of as it is where the words are not known', () => {
    expect(jsonProblem(PartitionSchema, new Error('something else'))).toBe('something else');
    expect(jsonProblem(PartitionSchema, 'text')).toBe('text');
  });
});
