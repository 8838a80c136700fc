import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MockClock, MockNetwork, type MockHost, type UdpSocket } from '@ingot/net';
import {
  decodeTftp,
  encodeTftp,
  tftpAck,
  tftpError,
  tftpReadRequest,
  tftpWriteRequest,
  type TftpOption,
  type TftpPacket,
} from '@ingot/wire';
import { retransmissionTimer } from '../src/tftp/retransmission-timer.ts';
import { TFTP_LIMITS } from '../src/tftp/server.ts';
import { startTransfer, type TftpResult } from '../src/tftp/transfer.ts';
import { tftpFetch } from './client.ts';
import { SERVER, startLab, temporaryFolder, testConfig, type Lab } from './harness.ts';

const snponly = readFileSync('/usr/lib/ipxe/snponly.efi');
const option = (name: string, value: string | number): TftpOption => ({ name, value: String(value) });
const EDK2 = [option('tsize', 0), option('blksize', 1468), option('windowsize', 4)];

async function labWithRoot(): Promise<{ lab: Lab; root: string; host: MockHost }> {
  const root = temporaryFolder();
  const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: { root } }) });
  return { lab, root, host: lab.network.host('machine', '10.0.1.100/24') };
}

/** Sends one packet from a socket of its own and returns what comes back, as it comes. */
async function exchange(
  lab: Lab,
  host: MockHost,
  first: TftpPacket,
): Promise<{
  heard: { packet: TftpPacket; port: number }[];
  send(packet: TftpPacket, port: number): Promise<void>;
  wait(count: number): Promise<void>;
}> {
  const address = host.attachments[0]?.address ?? '0.0.0.0';
  const socket = await host.bindUdp({ address, port: 0 });
  const heard: { packet: TftpPacket; port: number }[] = [];
  socket.onDatagram(({ data, source }) => {
    const decoded = decodeTftp(data);
    if (decoded.ok) heard.push({ packet: decoded.value, port: source.port });
  });
  await socket.send(encodeTftp(first), { address: SERVER, port: 69 });
  return {
    heard,
    send: async (packet, port) => {
      await socket.send(encodeTftp(packet), { address: SERVER, port });
      await lab.clock.advance(0);
    },
    wait: async (count) => {
      // Opening the file is real I/O: virtual time stands still meanwhile.
      for (let turn = 0; turn < 2_000 && heard.length < count; turn += 1) await lab.clock.advance(0);
      expect(heard.length).toBeGreaterThanOrEqual(count);
    },
  };
}

describe('a transfer', () => {
  it.each([
    ['in blocks of 512 without options', []],
    ['as iPXE asks', [option('blksize', 1432), option('tsize', 0)]],
    ['as EDK2 asks', EDK2],
    ['in a window of 64', [option('blksize', 1468), option('windowsize', 64)]],
  ])('arrives whole %s', async (_name, options) => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    const result = await tftpFetch(lab, host, '52-54-00-00-01-01/snponly.efi', options);
    expect(result.ok && Buffer.compare(result.bytes, snponly)).toBe(0);
    expect(lab.log.events('tftp.done').map(({ fields }) => fields)).toMatchObject([
      { mac: '52:54:00:00:01:01', file: 'snponly.efi', bytes: snponly.length },
    ]);
  });

  it.each([
    ['loss', { loss: 0.1 }],
    ['duplicates', { duplicate: 0.3 }],
    ['reordering', { reorder: 0.2, delayMs: 5, jitterMs: 5 }],
    ['all of them', { loss: 0.05, duplicate: 0.1, reorder: 0.1, delayMs: 2, jitterMs: 10 }],
  ])('arrives whole through %s, in lockstep and in windows', async (_name, impairment) => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    lab.network.impair(impairment);
    for (const windowsize of [1, 16]) {
      const result = await tftpFetch(lab, host, 'undionly.kpxe', [
        option('blksize', 1468),
        option('windowsize', windowsize),
      ]);
      expect(result.ok && Buffer.compare(result.bytes, readFileSync('/usr/lib/ipxe/undionly.kpxe'))).toBe(0);
    }
  });

  it('of a file that fills its last block ends with an empty one', async () => {
    const { lab, root, host } = await labWithRoot();
    writeFileSync(join(root, 'even'), Buffer.alloc(1024, 7));
    writeFileSync(join(root, 'empty'), '');
    const even = await tftpFetch(lab, host, 'even');
    expect(even.ok && even.bytes.length).toBe(1024);
    const empty = await tftpFetch(lab, host, 'empty');
    expect(empty.ok && empty.bytes.length).toBe(0);
  });
});

describe('options', () => {
  it('are lowered to what an Ethernet frame and firmware bear, and known in any case', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [
        option('BLKSIZE', 65464),
        option('WindowSize', 1000),
        option('tsize', 0),
        option('timeout', 3),
        option('multicast', ''),
        option('blksize', 9),
      ]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({
      kind: 'oack',
      options: [
        option('BLKSIZE', 1468),
        option('WindowSize', 64),
        option('tsize', snponly.length),
        option('timeout', 3),
      ],
    });
  });

  it('that make no sense are left out', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [option('blksize', 7), option('windowsize', 0), option('timeout', 'soon')]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'data', block: 1 });
  });

  it('a size probe that ends in error 8 is no failure', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', EDK2),
    );
    await client.wait(1);
    await client.send(tftpError(8, 'User aborted the transfer'), client.heard[0]?.port ?? 0);
    await lab.clock.advance(60_000);
    expect(client.heard).toHaveLength(1);
    expect(lab.log.events('tftp.probed')).toHaveLength(1);
    expect(lab.log.events('tftp.failed')).toHaveLength(0);
  });
});

describe('names', () => {
  it.each([
    ['with the byte 0xff that some ROMs append', 'snponly.efi\u00ff'],
    ['with a slash in front', '/52-54-00-00-01-01/snponly.efi'],
    ['with backslashes', '\\52-54-00-00-01-01\\snponly.efi'],
  ])('are understood %s', async (_what, name) => {
    const lab = await startLab();
    const result = await tftpFetch(lab, lab.network.host('machine', '10.0.1.100/24'), name, EDK2);
    expect(result.ok).toBe(true);
  });

  it.each([
    '../secret',
    '..\\secret',
    'a/../../secret',
    '/etc/passwd',
    'link',
    'link/passwd',
    '.',
    '',
    'x/./y',
    'nothing',
    '52-54-00-00-01-01/../secret',
  ])('%j leads nowhere', async (name) => {
    const { lab, root, host } = await labWithRoot();
    writeFileSync(join(root, '..', 'secret'), 'secret');
    symlinkSync('/etc', join(root, 'link'));
    const result = await tftpFetch(lab, host, name);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && [1, 2].includes(result.code)).toBe(true);
    expect(lab.log.events('tftp.failed')).toHaveLength(1);
  });

  it('autoexec.ipxe is answered with a script', async () => {
    const lab = await startLab();
    const result = await tftpFetch(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      '52-54-00-00-01-01/autoexec.ipxe',
    );
    expect(result.ok && Buffer.from(result.bytes).toString()).toContain('#!ipxe\n');
  });
});

describe('refusals', () => {
  it('writing is refused', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpWriteRequest('snponly.efi'));
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'error', code: 2 });
  });

  it('modes other than octet are refused', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [], 'netascii'),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'error', code: 0 });
  });

  it('a client that vanishes is given up, with its cause in the log', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    await lab.clock.advance(60_000);
    expect(client.heard.filter(({ packet }) => packet.kind === 'data')).toHaveLength(5);
    expect(lab.log.events('tftp.failed')[0]?.fields).toMatchObject({
      cause: 'no-answer',
      file: 'snponly.efi',
      bytes: 0,
    });
    expect(lab.clock.pendingTimers).toBe(0);
  });

  it('one client cannot take every transfer', async () => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    const clients = [];
    for (let count = 0; count < TFTP_LIMITS.transfersPerClient + 3; count += 1)
      clients.push(await exchange(lab, host, tftpReadRequest('snponly.efi')));
    await clients[0]?.wait(1);
    await clients[TFTP_LIMITS.transfersPerClient - 1]?.wait(1);
    expect(clients.filter(({ heard }) => heard.length > 0)).toHaveLength(TFTP_LIMITS.transfersPerClient);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(3);
    const other = await tftpFetch(lab, lab.network.host('other', '10.0.1.101/24'), 'undionly.kpxe');
    expect(other.ok).toBe(true);
  });

  it('a stranger at the transfer’s port is told so and does not disturb it', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    const port = client.heard[0]?.port ?? 0;
    const stranger = await exchange(lab, lab.network.host('stranger', '10.0.1.101/24'), tftpError(0, 'x'));
    await stranger.send(tftpAck(1), port);
    await stranger.wait(1);
    expect(stranger.heard[0]?.packet).toMatchObject({ kind: 'error', code: 5 });
    await client.send(tftpAck(1), port);
    await client.wait(2);
    expect(client.heard[1]?.packet).toMatchObject({ kind: 'data', block: 2 });
  });
});

describe('the transfer machine', () => {
  async function machine(
    windowsize: number,
  ): Promise<{ clock: MockClock; blocks: number[]; ack: (block: number) => Promise<void>; results: TftpResult[] }> {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const server = await network.host('server', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 0 });
    const client = await network.host('client', '10.0.0.2').bindUdp({ address: '10.0.0.2', port: 2000 });
    const blocks: number[] = [];
    client.onDatagram(({ data }) => {
      const decoded = decodeTftp(data);
      if (decoded.ok && decoded.value.kind === 'data') blocks.push(decoded.value.block);
    });
    const results: TftpResult[] = [];
    startTransfer(
      {
        clock,
        socket: server,
        peer: client.address,
        bytes: new Uint8Array(5_000),
        terms: { blksize: 512, windowsize, timeoutMs: undefined, accepted: [] },
      },
      (result) => results.push(result),
    );
    await clock.advance(0);
    return {
      clock,
      blocks,
      results,
      ack: async (block) => {
        await client.send(encodeTftp(tftpAck(block)), server.address);
        await clock.advance(0);
      },
    };
  }

  it('does not answer a repeated ACK in lockstep, for that would double every packet', async () => {
    const { ack, blocks } = await machine(1);
    await ack(1);
    await ack(1);
    await ack(1);
    expect(blocks).toEqual([1, 2]);
  });

  it('starts a new window behind the block that is acknowledged', async () => {
    const { ack, blocks } = await machine(4);
    await ack(2);
    expect(blocks).toEqual([1, 2, 3, 4, 3, 4, 5, 6]);
  });

  it('resends a window once when its first block is missed', async () => {
    const { ack, blocks } = await machine(2);
    await ack(2);
    await ack(2);
    await ack(2);
    expect(blocks).toEqual([1, 2, 3, 4, 3, 4]);
  });

  it('ignores an ACK for what was never sent', async () => {
    const { ack, blocks } = await machine(2);
    await ack(9);
    await ack(60_000);
    expect(blocks).toEqual([1, 2]);
  });

  it('counts a missing last ACK as done', async () => {
    const { ack, clock, results } = await machine(64);
    await ack(0);
    await clock.advance(60_000);
    expect(results).toMatchObject([{ end: { kind: 'done', confirmed: false }, bytes: 5_000 }]);
  });

  it('goes on past 65535 blocks, whose numbers start again at 0', () => {
    const bytes = Buffer.alloc(70_000 * 8 + 3, 'ingot');
    const peer = { address: '10.0.0.2', port: 2000 };
    const queue: Uint8Array[] = [];
    let deliver = (_data: Uint8Array): void => undefined;
    const socket: UdpSocket = {
      address: { address: '10.0.0.1', port: 1000 },
      onDatagram: (handler) => (deliver = (data) => handler({ data, source: peer })),
      onError: () => undefined,
      send: (data) => Promise.resolve(void queue.push(data)),
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const results: TftpResult[] = [];
    const terms = { blksize: 8, windowsize: 64, timeoutMs: undefined, accepted: [] };
    startTransfer({ clock: new MockClock(), socket, peer, bytes, terms }, (result) => results.push(result));
    const parts: Uint8Array[] = [];
    while (results.length === 0) {
      const window = queue.splice(0);
      for (const data of window) {
        const decoded = decodeTftp(data);
        if (!decoded.ok || decoded.value.kind !== 'data') throw new Error('no data');
        if (decoded.value.block !== (parts.length + 1) % 65_536)
          throw new Error(`block ${decoded.value.block} after ${parts.length}`);
        parts.push(decoded.value.data);
      }
      deliver(encodeTftp(tftpAck(parts.length % 65_536)));
    }
    expect(parts).toHaveLength(70_001);
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
    expect(results[0]).toMatchObject({ end: { kind: 'done', confirmed: true }, bytes: bytes.length });
  });

  it('waits twice as long after every wait in vain', async () => {
    const { clock, blocks } = await machine(1);
    const at: number[] = [];
    for (let second = 0; second < 40; second += 1) {
      const before = blocks.length;
      await clock.advance(1_000);
      if (blocks.length > before) at.push(second + 1);
    }
    expect(at).toEqual([1, 3, 7, 15]);
  });
});

describe('the retransmission timer', () => {
  it('follows the round trip, within its bounds', () => {
    const timer = retransmissionTimer(undefined);
    expect(timer.waitMs).toBe(1_000);
    timer.measured(1);
    expect(timer.waitMs).toBe(300);
    timer.measured(2_000);
    expect(timer.waitMs).toBeGreaterThan(2_000);
  });

  it('keeps to what the client asked for', () => {
    const timer = retransmissionTimer(20_000);
    timer.measured(5);
    expect(timer.waitMs).toBe(20_000);
  });
});
