import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  create,
  fromBinary,
  toBinary,
  toJson,
  type DescMethod,
  type DescService,
  type Message,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, expect, test } from 'vitest';
import { adminV2, apiV2, infraV2, ingotAdminV1, methodPath, type BoundService } from '../src/index.ts';
import { fillMessage } from './fill-message.ts';
import { ca, startServer } from './support.ts';

// protobufjs, which reads the proto files themselves, calls every method: nothing of a request or an answer gets lost.
const protoRoot = fileURLToPath(new URL('../../../proto', import.meta.url));
const definition = loadSync(globSync('{ingot,metalstack}/**/*.proto', { cwd: protoRoot }), {
  includeDirs: [protoRoot],
  keepCase: true,
  longs: String,
  enums: String,
});
const theirs = new Map<string, MethodDefinition<object, object>>();
for (const part of Object.values(definition))
  if (!('format' in part)) for (const method of Object.values(part)) theirs.set(method.path, method);

const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
const services = [apiV2, adminV2, infraV2, ingotAdminV1].flatMap((part) => Object.values(part).filter(isService));
const methods = services.flatMap((service) => service.methods);

const seen = new Map<string, Message>();
/** Remembers requests, and answers with every field. */
const answering = (service: DescService): BoundService<string> => ({
  service,
  methods: service.methods.map((desc) => {
    const answer = (request: Message): Record<string, unknown> => {
      seen.set(methodPath(desc), request);
      return { ...fillMessage(desc.output) };
    };
    return desc.methodKind === 'unary'
      ? { desc, handler: { kind: 'unary', call: answer } }
      : {
          desc,
          handler: {
            kind: 'stream',
            async *call(request) {
              yield answer(request);
            },
          },
        };
  }),
});
const api = await startServer({ options: { services: services.map(answering) } });
const client = new Client(api.url.replace('https://127.0.0.1', 'localhost'), credentials.createSsl(Buffer.from(ca)));
afterAll(async () => {
  client.close();
  await api[Symbol.asyncDispose]();
});
const metadata = new Metadata();
metadata.set('authorization', 'Bearer good');

/** Calls a method with their codec: the only answer, or the only message of the stream. */
function call(
  desc: DescMethod,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<object, object>,
  request: object,
): Promise<object> {
  const answer = Promise.withResolvers<object>();
  if (desc.methodKind === 'unary')
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, message) => {
      if (error === null && message !== undefined) answer.resolve(message);
      else answer.reject(error ?? new Error('no answer'));
    });
  else {
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
    stream.on('data', (message: object) => answer.resolve(message));
    stream.on('error', answer.reject);
    stream.on('end', () => answer.reject(new Error('an empty stream')));
  }
  return answer.promise;
}

test('both know the same methods', () => {
  expect([...theirs.keys()].toSorted()).toEqual(methods.map(methodPath).toSorted());
});

test.each(methods.map((method) => [methodPath(method), method] as const))('%s', async (path, desc) => {
  const method = theirs.get(path);
  if (method === undefined) throw new Error(`proto-loader does not know ${path}`);
  const request = fillMessage(desc.input);
  // Their object holds what they understood of our bytes; what they did not would be missing from now on.
  const answer = await call(desc, method, method.requestDeserialize(Buffer.from(toBinary(desc.input, request))));
  expect(toJson(desc.input, seen.get(path) ?? create(desc.input))).toEqual(toJson(desc.input, request));
  const read = fromBinary(desc.output, method.responseSerialize(answer));
  expect(toJson(desc.output, read)).toEqual(toJson(desc.output, fillMessage(desc.output)));
});
