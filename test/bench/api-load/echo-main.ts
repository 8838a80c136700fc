// `node echo-main.ts TLS-DIRECTORY`: the least that answers gRPC over HTTP/2 and TLS, an empty message to every call. What
// the generator gets out of it is the most that it can ask of anybody. Prints its port; ends with its standard input.
import { readFileSync } from 'node:fs';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';

const directory = process.argv[2] ?? '';
const server = createSecureServer({
  cert: readFileSync(join(directory, 'server.pem')),
  key: readFileSync(join(directory, 'server.key')),
});
const EMPTY = Buffer.alloc(5);
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.resume();
  stream.once('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY);
  });
  stream.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') process.stdout.write(`${address.port}\n`);
});
process.stdin.resume();
process.stdin.once('end', () => process.exit());
