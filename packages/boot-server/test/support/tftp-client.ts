import type { MockHost, UdpSocket } from '@ingot/net';
import { decodeTftp, encodeTftp, tftpAck, tftpReadRequest, type TftpOption } from '@ingot/wire';
import { SERVER } from './config.ts';
import type { Lab } from './lab.ts';

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
  const startedAt = Date.now();
  let seen = { received, at: startedAt };
  const ended = (): TftpFetch | undefined => result;
  for (let end = ended(); end === undefined; end = ended()) {
    const now = Date.now();
    if (received !== seen.received) seen = { received, at: now };
    if (now - seen.at > 20_000) throw new Error(`TFTP: nothing after ${received} blocks`);
    const isOpening = received === 0 && now - startedAt < 300;
    await lab.clock.advance(isOpening ? 0 : 100);
  }
  timer.cancel();
  // A client stays a moment, for the case that its last ACK is lost.
  await lab.clock.advance(0);
  await socket.close();
  return ended() ?? { ok: false, code: 0, message: 'no result' };
}
