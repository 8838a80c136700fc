import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { MockClock, mockEntropy } from '@ingot/net';
import { afterEach, expect, test } from 'vitest';
import type { LokiTarget } from '../../src/life/agent-policy.ts';
import type { LogLine } from '../../src/log/log-sinks.ts';
import { lokiSink, type LokiSink } from '../../src/log/loki.ts';
import { postJson } from '../../src/log/post-json.ts';
import { Secret } from '../../src/secret.ts';

interface Push {
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly streams: readonly { readonly stream: unknown; readonly values: readonly string[][] }[] };
}

const at = Date.UTC(2026, 10, 21, 10);
const said: string[] = [];
const pushes: Push[] = [];
let server: Server | undefined;
let status = 204;
/** Answers of requests that came so far, the refused ones included. */
let answered = 0;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  said.length = 0;
  pushes.length = 0;
  status = 204;
  answered = 0;
});

async function startLoki(): Promise<URL> {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (status === 204) pushes.push({ headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString()) });
      answered += 1;
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new URL(`http://127.0.0.1:${address.port}/loki/api/v1/push`);
}

async function start(login: Partial<LokiTarget> = {}): Promise<{ clock: MockClock; sink: LokiSink }> {
  const endpoint = await startLoki();
  const clock = new MockClock({ nowMs: at });
  const target: LokiTarget = { endpoint, user: undefined, password: undefined, ...login };
  const onTrouble = (words: string): void => void said.push(words.replaceAll(/:\d+/g, ''));
  const sink = lokiSink(target, { clock, entropy: mockEntropy(1), post: postJson, onTrouble, machine: 'm1' });
  return { clock, sink };
}

const line = (words: string, level: LogLine['level'] = 'info'): LogLine => ({
  timeMs: at,
  level,
  phase: 'lldp',
  words,
});

async function until(clock: MockClock, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn += 1) {
    await clock.advance(100);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(condition()).toBe(true);
}

test('lines are pushed together after a second, one stream for each level, with three labels', async () => {
  const { clock, sink } = await start({ user: 'rack', password: new Secret('hunter2') });
  sink.write(line('one'));
  sink.write(line('two'));
  sink.write(line('three', 'error'));
  await until(clock, () => pushes.length > 0);
  sink.stop();
  expect(pushes[0]?.headers.authorization).toBe(`Basic ${Buffer.from('rack:hunter2').toString('base64')}`);
  const time = `${at}000000`;
  expect(pushes[0]?.body.streams).toEqual([
    {
      stream: { component: 'ingot-discovery', machineID: 'm1', level: 'info' },
      values: [
        [time, '{"phase":"lldp","msg":"one"}'],
        [time, '{"phase":"lldp","msg":"two"}'],
      ],
    },
    {
      stream: { component: 'ingot-discovery', machineID: 'm1', level: 'error' },
      values: [[time, '{"phase":"lldp","msg":"three"}']],
    },
  ]);
});

test('a sink that refuses is said once, asked again ever more seldom, and gets all lines when it is back', async () => {
  const { clock, sink } = await start();
  status = 503;
  sink.write(line('one'));
  await until(clock, () => answered >= 3);
  sink.write(line('two'));
  status = 204;
  await until(clock, () => said.length === 2);
  sink.stop();
  expect(said).toEqual(['the log sink 127.0.0.1 takes no lines: status 503', 'the log sink takes lines again']);
  const words = pushes.flatMap(({ body }) => body.streams.flatMap(({ values }) => values.map(([, text]) => text)));
  expect(words).toEqual(['{"phase":"lldp","msg":"one"}', '{"phase":"lldp","msg":"two"}']);
});

test('what the queue has no room for is counted, the newest lines are kept', async () => {
  const { clock, sink } = await start();
  status = 500;
  for (let index = 0; index < 2_010; index += 1) sink.write(line(`line ${index}`));
  await until(clock, () => answered > 0);
  status = 204;
  await until(clock, () =>
    pushes.flatMap(({ body }) => body.streams).some(({ values }) => values.at(-1)?.[1]?.includes('2009') === true),
  );
  sink.stop();
  const words = pushes.flatMap(({ body }) => body.streams.flatMap(({ values }) => values.map(([, text]) => text)));
  expect(words).toContain('{"phase":"log","msg":"10 lines are lost"}');
  expect(words.filter((text) => text?.includes('line ') === true)).toHaveLength(2_000);
  expect(words).not.toContain('{"phase":"lldp","msg":"line 9"}');
});

test('lines that the sink will never take do not keep the later ones from it', async () => {
  const { clock, sink } = await start();
  status = 400;
  sink.write(line('of last week'));
  sink.write(line('too'));
  await until(clock, () => answered === 1);
  sink.write(line('new'));
  await until(clock, () => answered === 3);
  status = 204;
  await until(clock, () => pushes.length > 0);
  sink.stop();
  const words = pushes.flatMap(({ body }) => body.streams.flatMap(({ values }) => values.map(([, text]) => text)));
  expect(words).toEqual(['{"phase":"lldp","msg":"new"}', '{"phase":"log","msg":"2 lines are lost"}']);
});

test('nothing is sent after its end', async () => {
  const { clock, sink } = await start();
  sink.write(line('one'));
  sink.stop();
  sink.write(line('two'));
  await clock.advance(10_000);
  expect(answered).toBe(0);
});
