import type { MockHost, UdpSocket } from '@ingot/net';
import {
  bytesOfIpv4,
  decodeTftp,
  encodeTftp,
  tftpAck,
  tftpReadRequest,
  MessageType,
  type DhcpOption,
  type Ipv4,
  type TftpOption,
} from '@ingot/wire';
import type { Lab } from './harness.ts';
import { ip, message, readReply, SERVER, type ClientKind, type Reply } from './harness.ts';

/** Option 82 as isc-dhcp-relay -a writes it: circuit id "Vlan4000". */
export const OPTION_82: DhcpOption = { code: 82, data: Uint8Array.of(1, 8, ...Buffer.from('Vlan4000')) };

/** A NIC on the server's own link: sends broadcasts from port 68 and keeps what it hears there. */
export async function localClient(
  lab: Lab,
  host: MockHost,
): Promise<{ send(data: Uint8Array): Promise<Reply | undefined>; post(data: Uint8Array): void; heard: Reply[] }> {
  const socket = await host.bindUdp({ address: '0.0.0.0', port: 68, broadcast: true });
  const heard: Reply[] = [];
  socket.onDatagram(({ data }) => heard.push(readReply(data)));
  return {
    heard,
    post: (data) => void socket.send(data, { address: '255.255.255.255', port: 67 }),
    send: async (data) => {
      const before = heard.length;
      await socket.send(data, { address: '255.255.255.255', port: 67 });
      await lab.clock.advance(0);
      return heard[before];
    },
  };
}

/** A relay as ISC's: giaddr, hops, option 82 appended; replies come back to its port 67. */
export async function relay(
  lab: Lab,
  giaddr: string,
  extra: readonly DhcpOption[] = [OPTION_82],
): Promise<{
  host: MockHost;
  ask(
    type: MessageType,
    client: { mac: string; kind: ClientKind },
    options?: readonly DhcpOption[],
  ): Promise<Reply | undefined>;
  heard: Reply[];
}> {
  const host = lab.network.host(`relay ${giaddr}`, `${giaddr}/24`);
  const socket = await host.bindUdp({ address: giaddr, port: 67 });
  const heard: Reply[] = [];
  socket.onDatagram(({ data }) => heard.push(readReply(data)));
  return {
    host,
    heard,
    ask: async (type, client, options = []) => {
      const before = heard.length;
      const data = message(type, { ...client, giaddr: ip(giaddr), hops: 1, secs: 4 }, [...options, ...extra]);
      await socket.send(data, { address: SERVER, port: 67 });
      await lab.clock.advance(0);
      return heard[before];
    },
  };
}

/** DISCOVER, then REQUEST of what was offered: the ACK. */
export async function lease(
  via: Awaited<ReturnType<typeof relay>>,
  client: { mac: string; kind: ClientKind },
): Promise<Reply> {
  const offer = await via.ask(MessageType.DISCOVER, client);
  if (offer === undefined) throw new Error('no offer');
  const ack = await via.ask(MessageType.REQUEST, client, selecting(offer));
  if (ack === undefined) throw new Error('no ack');
  return ack;
}

/** Options 50 and 54 of a REQUEST for an offer. */
export function selecting(offer: Reply): DhcpOption[] {
  return [
    { code: 50, data: bytesOfIpv4(offer.packet.yiaddr) },
    { code: 54, data: offer.options.get(54) ?? new Uint8Array() },
  ];
}

export function addressOption(code: number, address: Ipv4): DhcpOption {
  return { code, data: bytesOfIpv4(address) };
}

/** What a TFTP client ended with. */
export type TftpFetch =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly oack: readonly TftpOption[] | undefined }
  | { readonly ok: false; readonly code: number; readonly message: string };

/**
 * A TFTP client of its own making, after RFC 1350, 2347 and 7440: acknowledges the last block in order when a window
 * is full or a gap shows, and repeats its last packet when it hears nothing for `patienceMs`.
 */
export async function tftpFetch(
  lab: Lab,
  host: MockHost,
  filename: string,
  options: readonly TftpOption[] = [],
  patienceMs = 1_000,
): Promise<TftpFetch> {
  const socket: UdpSocket = await host.bindUdp({ address: host.attachments[0]?.address ?? '0.0.0.0', port: 0 });
  let peerPort: number | undefined;
  let blksize = 512;
  let windowsize = 1;
  let received = 0;
  let sinceAck = 0;
  let gapReportedFor = -1;
  let oack: readonly TftpOption[] | undefined;
  const parts: Uint8Array[] = [];
  let result: TftpFetch | undefined;
  let last: Uint8Array = encodeTftp(tftpReadRequest(filename, options));
  const repeat = (): void => {
    void socket.send(last, { address: SERVER, port: peerPort ?? 69 });
    timer = lab.clock.setTimeout(repeat, patienceMs);
  };
  let timer = lab.clock.setTimeout(repeat, patienceMs);
  const acknowledge = (): void => {
    sinceAck = 0;
    last = encodeTftp(tftpAck(received % 65_536));
    timer.cancel();
    repeat();
  };
  socket.onDatagram(({ data, source }) => {
    if (result !== undefined) return;
    const decoded = decodeTftp(data);
    if (!decoded.ok) return;
    const packet = decoded.value;
    if (packet.kind === 'error') {
      result = { ok: false, code: packet.code, message: packet.message };
      return;
    }
    peerPort ??= source.port;
    if (source.port !== peerPort) return;
    if (packet.kind === 'oack' && received === 0) {
      oack = packet.options;
      const value = (name: string): string | undefined =>
        packet.options.find((option) => option.name.toLowerCase() === name)?.value;
      blksize = Number(value('blksize') ?? 512);
      windowsize = Number(value('windowsize') ?? 1);
      acknowledge();
      return;
    }
    if (packet.kind !== 'data') return;
    if (packet.block !== (received + 1) % 65_536) {
      if (gapReportedFor !== received) {
        gapReportedFor = received;
        acknowledge();
      }
      return;
    }
    parts.push(Uint8Array.from(packet.data));
    received += 1;
    sinceAck += 1;
    const isLast = packet.data.length < blksize;
    if (isLast || sinceAck >= windowsize) acknowledge();
    if (isLast) result = { ok: true, bytes: Buffer.concat(parts), oack };
  });
  await socket.send(last, { address: SERVER, port: 69 });
  // The file is opened with real I/O, which virtual time does not wait for.
  const realDeadline = Date.now() + 20_000;
  const ended = (): TftpFetch | undefined => result;
  for (let end = ended(); end === undefined; end = ended()) {
    const leftMs = realDeadline - Date.now();
    if (leftMs <= 0) throw new Error(`TFTP: nothing after ${received} blocks`);
    const isOpening = received === 0 && leftMs > 19_700;
    await lab.clock.advance(isOpening ? 0 : 100);
  }
  timer.cancel();
  // A client stays a moment, for the case that its last ACK is lost.
  await lab.clock.advance(0);
  await socket.close();
  return ended() ?? { ok: false, code: 0, message: 'no result' };
}
