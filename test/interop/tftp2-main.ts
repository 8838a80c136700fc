/**
 * Fetches a file with npm's `tftp2`.
 *
 *     node tftp2-main.ts SERVER FILE INTO [BLOCKS]
 *
 * With `BLOCKS` it vanishes after so many. It knows no ERROR packets: its `read` would wait for ever, so they are looked
 * for in its own decoder, and end this with status 1.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Tftp2 {
  (
    host: string,
    port: number,
  ): {
    read(name: string, push: (data: Buffer) => void, done: () => void): Promise<void>;
    close(): void;
  };
  readonly Packet: {
    parse: (message: Buffer) => { readonly opcode: number; readonly code?: number; readonly message?: string };
  };
}

const require = createRequire(import.meta.url);
const tftp: Tftp2 = require('tftp2');
const [server = '', name = '', into = '', blocks] = process.argv.slice(2);
const { parse } = tftp.Packet;
tftp.Packet.parse = (message) => {
  const packet = parse(message);
  if (packet.opcode === 5) {
    console.log(`error ${packet.code}: ${packet.message}`);
    process.exit(1);
  }
  return packet;
};
const client = tftp(server, 69);
const parts: Buffer[] = [];
await client.read(
  name,
  (data) => {
    if (parts.push(data) === Number(blocks)) process.exit(0);
  },
  () => undefined,
);
client.close();
writeFileSync(into, Buffer.concat(parts));
