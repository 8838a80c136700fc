import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MockClock, MockNetwork, type MockHost } from '@ingot/net';
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
import { nodeEngine } from '../src/tftp/node-engine.ts';
import { Step, TransferState, type TftpResult } from '../src/tftp/transfer-state.ts';
import { tftpFetch } from './client.ts';
import { SERVER, startLab, temporaryFolder, testConfig, tftpConfig, type Lab } from './harness.ts';

const snponly = readFileSync('/usr/lib/ipxe/snponly.efi');
const option = (name: string, value: string | number): TftpOption => ({ name, value: String(value) });
const EDK2 = [option('tsize', 0), option('blksize', 1468), option('windowsize', 4)];

const TERMS = {
  blksize: 8,
  windowsize: 64,
  timeoutMs: undefined,
  hasOack: false,
  deadlineMs: 3_600_000,
  minBytesPerSecond: 0,
};

async function labWithRoot(): Promise<{ lab: Lab; root: string; host: MockHost }> {
  const root = temporaryFolder();
  const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ root }) }) });
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

describe('in single-port mode', () => {
  it('everything comes from port 69, several transfers at a time', async () => {
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ singlePort: true }) }) });
    const host = lab.network.host('machine', '10.0.1.100/24');
    const ports = new Set<number>();
    lab.network.intercept(({ source, target }) => {
      if (target.address === '10.0.1.100') ports.add(source.port);
      return undefined;
    });
    const results = await Promise.all([EDK2, []].map((options) => tftpFetch(lab, host, 'undionly.kpxe', options)));
    for (const result of results)
      expect(result.ok && Buffer.compare(result.bytes, readFileSync('/usr/lib/ipxe/undionly.kpxe'))).toBe(0);
    expect([...ports]).toEqual([69]);
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

  it('are granted up to what is configured', async () => {
    const config = tftpConfig({ maxBlksize: 1024, maxWindowsize: 2 });
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: config }) });
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [option('blksize', 1468), option('windowsize', 8), option('timeout', 200)]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({
      kind: 'oack',
      options: [option('blksize', 1024), option('windowsize', 2)],
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
    for (let count = 0; count < tftpConfig().maxTransfersPerClient + 3; count += 1)
      clients.push(await exchange(lab, host, tftpReadRequest('snponly.efi')));
    await clients[0]?.wait(1);
    await clients[tftpConfig().maxTransfersPerClient - 1]?.wait(1);
    expect(clients.filter(({ heard }) => heard.length > 0)).toHaveLength(tftpConfig().maxTransfersPerClient);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(3);
    const other = await tftpFetch(lab, lab.network.host('other', '10.0.1.101/24'), 'undionly.kpxe');
    expect(other.ok).toBe(true);
  });

  it('a client that was restarted in mid-transfer and asks from the same port is served anew', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    await client.send(tftpReadRequest('snponly.efi'), 69);
    expect(await lab.drops('tftp', 'repeated-request')).toBe(1);
    await client.send(tftpReadRequest('snponly.efi', EDK2), 69);
    await client.wait(2);
    expect(client.heard[1]?.packet.kind).toBe('oack');
    expect(lab.log.events('tftp.failed')[0]?.fields).toMatchObject({ cause: 'superseded' });
  });

  it('no more transfers than configured are under way', async () => {
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ maxTransfers: 2 }) }) });
    for (const end of [100, 101, 102])
      await exchange(lab, lab.network.host(`host ${end}`, `10.0.1.${end}/24`), tftpReadRequest('snponly.efi'));
    await lab.clock.advance(0);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(1);
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
    const serverHost = network.host('server', '10.0.0.1');
    const listener = await serverHost.bindUdp({ address: '10.0.0.1', port: 69 });
    const client = await network.host('client', '10.0.0.2').bindUdp({ address: '10.0.0.2', port: 2000 });
    const blocks: number[] = [];
    client.onDatagram(({ data }) => {
      const decoded = decodeTftp(data);
      if (decoded.ok && decoded.value.kind === 'data') blocks.push(decoded.value.block);
    });
    const results: TftpResult[] = [];
    let port = 0;
    client.onDatagram(({ source }) => (port = source.port));
    const bytes = new Uint8Array(5_000);
    const transfer = await nodeEngine({ network: serverHost, clock, singlePort: false }).start({
      listener,
      peer: client.address,
      content: { sizeBytes: bytes.length, fd: undefined, read: (at, length) => bytes.subarray(at, at + length) },
      terms: { blksize: 512, windowsize, timeoutMs: undefined, accepted: [] },
      deadlineMs: 3_600_000,
      minBytesPerSecond: 0,
    });
    void transfer.ended.then((result) => results.push(result));
    await clock.advance(0);
    return {
      clock,
      blocks,
      results,
      ack: async (block) => {
        await client.send(encodeTftp(tftpAck(block)), { address: '10.0.0.1', port });
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
    const state = new TransferState(TERMS, 140_000 * 8 + 3, 0);
    let received = 0;
    for (let step: Step = Step.SEND; step === Step.SEND;) {
      expect(state.from).toBe(received + 1);
      received = state.until;
      step = state.onAck(received % 65_536, received);
    }
    expect(received).toBe(140_001);
    expect(state.result).toEqual({
      end: { kind: 'done', confirmed: true },
      bytes: 140_000 * 8 + 3,
      retransmissions: 0,
    });
  });

  it('takes an ACK from before the numbers started again for what it is', () => {
    const state = new TransferState({ ...TERMS, windowsize: 4 }, 140_000 * 8, 0);
    while (state.until < 65_540) state.onAck(state.until % 65_536, 0);
    const { from } = state;
    expect(state.onAck(65_535, 0)).toBe(Step.WAIT);
    expect(state.onAck((state.until + 1) % 65_536, 0)).toBe(Step.WAIT);
    expect(state.from).toBe(from);
  });

  it('ends a transfer that is slower than it may be over a minute, and no faster one', () => {
    const slow = new TransferState({ ...TERMS, windowsize: 1, minBytesPerSecond: 256 }, 1_000_000, 0);
    const fast = new TransferState({ ...TERMS, windowsize: 1, minBytesPerSecond: 256 }, 1_000_000, 0);
    for (let second = 1; second <= 70; second += 1) {
      slow.onAck(slow.until, second * 1000);
      for (let count = 0; count < 40; count += 1) fast.onAck(fast.until, second * 1000);
    }
    expect(slow.end).toMatchObject({ kind: 'failed', cause: 'too-slow' });
    expect(slow.parting).toMatchObject({ code: 0 });
    expect(fast.end).toBeUndefined();
  });

  it('ends a transfer at its deadline, whatever its progress', () => {
    const state = new TransferState({ ...TERMS, windowsize: 1, deadlineMs: 10_000 }, 1_000_000, 0);
    let now = 0;
    for (; state.end === undefined; now += 100) state.onAck(state.until, now);
    expect(now).toBe(10_100);
    expect(state.end).toMatchObject({ kind: 'failed', cause: 'too-long' });
  });

  it('is woken in time for whatever comes first', () => {
    const state = new TransferState({ ...TERMS, deadlineMs: 500 }, 1_000_000, 0);
    expect(state.wakeAt).toBe(500);
    expect(state.onTime(500)).toBe(Step.END);
    expect(state.onTime(9_000)).toBe(Step.WAIT);
    expect(state.onAck(1, 9_000)).toBe(Step.WAIT);
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
