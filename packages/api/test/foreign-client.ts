import { fileURLToPath } from 'node:url';
import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

/** The methods of a definition by path, `/package.Service/Method`. */
export function methodsIn(definition: PackageDefinition): Map<string, MethodDefinition<object, object>> {
  const methods = new Map<string, MethodDefinition<object, object>>();
  for (const part of Object.values(definition))
    if (!('format' in part)) for (const method of Object.values(part)) methods.set(method.path, method);
  return methods;
}

/** Methods of proto files of this project, read by protobufjs. */
export function foreignMethods(...files: readonly string[]): Map<string, MethodDefinition<object, object>> {
  const protoRoot = fileURLToPath(new URL('../../../proto', import.meta.url));
  return methodsIn(loadSync([...files], { includeDirs: [protoRoot], keepCase: true, enums: String, oneofs: true }));
}

/** A grpc-js client with no types of ours. */
export function foreignClient(url: string, ca: string): Client {
  return new Client(url.replace('https://127.0.0.1', 'localhost'), credentials.createSsl(Buffer.from(ca)));
}

/** Calls a unary method. Rejects with grpc-js's error. */
export function callForeign(
  client: Client,
  method: MethodDefinition<object, object> | undefined,
  request: object,
): Promise<object> {
  if (method === undefined) return Promise.reject(new Error('no such method'));
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error('no answer'));
    });
  });
}

/** A stream of requests and answers whose end is a value. */
export interface Talk {
  ask(request: object): void;
  /** Bytes as they are, whatever they mean. */
  askRaw(bytes: Buffer): void;
  /** Says that no more requests come. */
  hangUp(): void;
  cancel(): void;
  /** The next answer; undefined when the stream has ended. */
  next(): Promise<object | undefined>;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number; readonly details: string }>;
}

/** Opens a bidirectional stream. */
export function talk(client: Client, method: MethodDefinition<object, object> | undefined): Talk {
  if (method === undefined) throw new Error('no such method');
  const serialize = (request: object | Buffer): Buffer =>
    Buffer.isBuffer(request) ? request : method.requestSerialize(request);
  const stream = client.makeBidiStreamRequest<object | Buffer, object>(
    method.path,
    serialize,
    method.responseDeserialize,
  );
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    stream.on('status', ({ code, details }) => resolve({ code, details }));
  });
  stream.on('error', (_error: ServiceError) => undefined);
  const answers: AsyncIterator<object> = stream[Symbol.asyncIterator]();
  return {
    ask: (request) => void stream.write(request),
    askRaw: (bytes) => void stream.write(bytes),
    hangUp: () => stream.end(),
    cancel: () => stream.cancel(),
    async next() {
      try {
        const { done, value } = await answers.next();
        return done === true ? undefined : value;
      } catch {
        return undefined;
      }
    },
    ended,
  };
}
