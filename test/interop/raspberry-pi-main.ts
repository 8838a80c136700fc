/**
 * Boots as the ROM of a Raspberry Pi 4 does, as far as the network sees it, and prints what it was given as JSON.
 *
 *     node raspberry-pi-main.ts MAC SERIAL
 *
 * Its packets are those of Raspberry Pi's documentation ("Network booting", "TFTP_PREFIX") and of captures that others
 * published; the order of the options and the list of names are from memory. It takes the first offer whose option 43
 * has its words, an address from whoever leases one, and every file from the server of that offer.
 */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

const [mac = '', serial = ''] = process.argv.slice(2);
/** The ROM repeats its questions about so often. */
const REPEAT_MS = 2_000;
const GIVE_UP_MS = 30_000;
const XID = 0x26f30339;
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;

const option = (code: number, data: Uint8Array | string): Buffer => {
  const value = Buffer.from(data);
  return Buffer.concat([Buffer.of(code, value.length), value]);
};
const ipv4 = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number);

/** Without the broadcast flag, and with 0 in every field that it has nothing for. */
function dhcp(type: number, more: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(240);
  header.set([1, 1, 6, 0]);
  header.writeUInt32BE(XID, 4);
  header.write(mac.replaceAll(':', ''), 28, 'hex');
  header.writeUInt32BE(0x63825363, 236);
  return Buffer.concat([
    header,
    option(53, Uint8Array.of(type)),
    option(55, Uint8Array.of(1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135)),
    // It says that it is a BIOS, of UNDI 2.1.
    option(93, Uint8Array.of(0, 0)),
    option(94, Uint8Array.of(1, 2, 1)),
    option(
      97,
      Buffer.concat([Buffer.from('\0RPi4\x15\x31\xd0\0', 'latin1'), Buffer.from(serial.padEnd(16, '0'), 'hex')]),
    ),
    option(60, 'PXEClient:Arch:00000:UNDI:002001'),
    ...more,
    Buffer.of(255),
  ]);
}

interface Answer {
  readonly type: number;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly options: ReadonlyMap<number, Buffer>;
}

function readAnswer(data: Buffer): Answer | undefined {
  if (data.length < 240 || data[0] !== 2 || data.readUInt32BE(4) !== XID) return undefined;
  const options = new Map<number, Buffer>();
  for (let at = 240; at + 1 < data.length && data[at] !== 255;) {
    if (data[at] === 0) at += 1;
    else {
      const end = at + 2 + (data[at + 1] ?? 0);
      options.set(data[at] ?? 0, data.subarray(at + 2, end));
      at = end;
    }
  }
  const address = (at: number): string => data.subarray(at, at + 4).join('.');
  return { type: options.get(53)?.[0] ?? 0, yiaddr: address(16), siaddr: address(20), options };
}

/** Sends `packet` again and again until `take` makes something of an answer. */
async function exchange<T>(
  socket: Socket,
  send: () => void,
  take: (data: Buffer, port: number) => T | undefined,
  what: string,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const hear = (data: Buffer, { port }: { readonly port: number }): void => {
    const taken = take(data, port);
    if (taken !== undefined) resolve(taken);
  };
  socket.on('message', hear);
  const repeat = setInterval(send, REPEAT_MS);
  const late = setTimeout(() => reject(new Error(`no answer: ${what}`)), GIVE_UP_MS);
  send();
  try {
    return await promise;
  } finally {
    socket.off('message', hear);
    clearInterval(repeat);
    clearTimeout(late);
  }
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(port, '0.0.0.0', resolve);
  });
  return socket;
}

/** The address is set as it comes; answers the server to boot from. */
async function lease(): Promise<{ readonly address: string; readonly server: string }> {
  const socket = await bound(68);
  socket.setBroadcast(true);
  const ask = (packet: Buffer): void => socket.send(packet, 67, '255.255.255.255');
  const offers: Answer[] = [];
  const chosen = await exchange(
    socket,
    () => ask(dhcp(DISCOVER)),
    (data) => {
      const answer = readAnswer(data);
      if (answer?.type === OFFER) offers.push(answer);
      const boots = offers.find(({ options }) => options.get(43)?.includes('Raspberry Pi Boot') === true);
      const leases = offers.find(({ yiaddr }) => yiaddr !== '0.0.0.0');
      return boots && leases && { boots, leases };
    },
    'an offer with "Raspberry Pi Boot", and one with an address',
  );
  const { boots, leases } = chosen;
  const from = leases.options.get(54) ?? Buffer.alloc(4);
  const { yiaddr: address } = await exchange(
    socket,
    () => ask(dhcp(REQUEST, [option(50, ipv4(leases.yiaddr)), option(54, from)])),
    (data) => {
      const answer = readAnswer(data);
      return answer?.type === ACK ? answer : undefined;
    },
    'DHCPACK',
  );
  socket.close();
  execFileSync('ip', ['addr', 'add', `${address}/24`, 'dev', 'eth0']);
  return { address, server: boots.siaddr };
}

/** One block at a time, of 1024 bytes; undefined when there is no such file. */
async function fetchFile(server: string, name: string): Promise<Buffer | undefined> {
  const socket = await bound(0);
  const blocks: Buffer[] = [];
  let heldBy = 0;
  let reply = Buffer.from(`\0\x01${name}\0octet\0tsize\x000\0blksize\x001024\0`, 'latin1');
  const acknowledge = (block: number): void => {
    reply = Buffer.of(0, 4, block >> 8, block & 0xff);
    socket.send(reply, heldBy, server);
  };
  try {
    const isThere = await exchange(
      socket,
      () => socket.send(reply, heldBy === 0 ? 69 : heldBy, server),
      (data, port) => {
        const opcode = data.readUInt16BE(0);
        if (opcode === 5) return false;
        heldBy = port;
        if (opcode === 6) {
          const said = data.subarray(2).toString('latin1').split('\0');
          if (said[said.indexOf('blksize') + 1] !== '1024' || said.includes('windowsize'))
            throw new Error(`not what it asked for: ${said.join(' ')}`);
          acknowledge(0);
        } else if (opcode === 3 && data.readUInt16BE(2) === blocks.length + 1) {
          blocks.push(Buffer.from(data.subarray(4)));
          acknowledge(blocks.length);
          if (data.length < 4 + 1024) return true;
        }
        return undefined;
      },
      name,
    );
    return isThere ? Buffer.concat(blocks) : undefined;
  } finally {
    socket.close();
  }
}

const { address, server } = await lease();
const files: Record<string, string | null> = {};
const load = async (name: string): Promise<Buffer | undefined> => {
  const data = await fetchFile(server, name);
  files[name] = data === undefined ? null : createHash('sha256').update(data).digest('hex');
  return data;
};
// Where its own folder has none, it takes all from the top.
const prefix = (await load(`${serial}/start4.elf`)) === undefined ? '' : `${serial}/`;
if (prefix === '') await load('start4.elf');
for (const name of ['config.txt', 'pieeprom.sig', 'recover4.elf', 'recovery.elf', 'fixup4.dat'])
  await load(prefix + name);
const config = (await load(`${prefix}config.txt`))?.toString() ?? '';
const named = (key: string, otherwise: string): string =>
  new RegExp(`^${key}[= ](\\S+)`, 'm').exec(config)?.[1] ?? otherwise;
for (const name of ['bcm2711-rpi-4-b.dtb', 'overlays/overlay_map.dtb', named('cmdline', 'cmdline.txt')])
  await load(prefix + name);
await load(prefix + named('kernel', 'kernel8.img'));
const initramfs = named('initramfs', '');
if (initramfs !== '') await load(prefix + initramfs);
process.stdout.write(JSON.stringify({ address, server, files }));
