import { describe, expect, it } from 'vitest';
import { MockClock, MockNetwork } from '@ingot/net';
import { decodeTftp, encodeTftp, tftpAck } from '@ingot/wire';
import { retransmissionTimer } from '../../src/tftp/retransmission-timer.ts';
import { nodeEngine } from '../../src/tftp/node-engine.ts';
import { Step, TransferState, type TftpResult } from '../../src/tftp/transfer-state.ts';

const TERMS = {
  blksize: 8,
  windowsize: 64,
  timeoutMs: undefined,
  hasOack: false,
  deadlineMs: 3_600_000,
  minBytesPerSecond: 0,
};

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

  it.each([
    ['just as fast as it must be, minute by minute', [32, 32, 32], undefined],
    ['slower by a block a second in its second minute, whatever came before', [1_000, 31, 1_000], 2],
  ])('measures a transfer anew each minute: %s', (_name, blocksPerSecond, endsAfter) => {
    const transfer = new TransferState({ ...TERMS, windowsize: 1, minBytesPerSecond: 256 }, 1_000_000, 0);
    let ended: number | undefined;
    for (const [minute, blocks] of blocksPerSecond.entries()) {
      for (let second = 1; second <= 60; second += 1) {
        const now = (minute * 60 + second) * 1_000;
        for (let block = 0; block < blocks; block += 1) transfer.onAck(transfer.until, now - 1);
        transfer.onTime(now);
      }
      if (transfer.end !== undefined) ended ??= minute + 1;
    }
    expect(ended).toBe(endsAfter);
    if (endsAfter !== undefined) expect(transfer.end).toMatchObject({ kind: 'failed', cause: 'too-slow' });
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

  it.each([1, 64])('waits for a client on a fast line as long as for any other, in a window of %i', (windowsize) => {
    const state = new TransferState({ ...TERMS, windowsize }, 1_000_000, 0);
    for (let now = 1; now <= 50; now += 1) state.onAck(state.until, now);
    const at: number[] = [];
    while (state.end === undefined) {
      at.push(state.wakeAt);
      state.onTime(state.wakeAt);
    }
    // The first packet comes again soon, the last after a link may have come up again.
    expect(at.slice(0, 3)).toEqual([350, 950, 2_150]);
    expect(at.at(-1)).toBeGreaterThanOrEqual(23_050);
    expect(at.at(-1)).toBeLessThan(32_000);
    expect(state.end).toMatchObject({ kind: 'failed', cause: 'no-answer' });
  });

  it('gives a client that says how long to wait no longer than that', () => {
    const state = new TransferState({ ...TERMS, timeoutMs: 1_000 }, 1_000_000, 0);
    state.onAck(state.until, 1);
    let wakes = 0;
    for (; state.end === undefined; wakes += 1) state.onTime(state.wakeAt);
    expect(wakes).toBe(5);
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
