import { MockClock, MockNetwork, type Datagram, type Endpoint } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { speaksIpmi } from '../src/ipmi/presence.ts';

const BMC: Endpoint = { address: '10.9.0.7', port: 623 };
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
/** ASF 2.0, section 3.2.4.3: type 40h, the tag, 16 bytes: enterprise, OEM, entities, interactions, reserved. */
const pong = (entities: string, tag = '00'): Uint8Array =>
  hex(`06 00 ff 06 00 00 11 be 40 ${tag} 00 10 00 00 11 be 00 00 00 00 ${entities} 00 00 00 00 00 00 00`);

/** Asks a BMC that answers so; what it was asked. */
async function ask(
  answer: (asked: Datagram, count: number) => readonly Uint8Array[],
  from: Endpoint = BMC,
): Promise<{ found: boolean; asked: string[]; tookMs: number }> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock });
  const [worker, there] = [network.host('worker', '10.9.0.1'), network.host('bmc', '10.9.0.7', '10.9.0.8')];
  await using bmc = await there.bindUdp({ address: BMC.address, port: BMC.port });
  await using other = await there.bindUdp({ address: from.address, port: from === BMC ? 0 : from.port });
  const asked: string[] = [];
  bmc.onDatagram((datagram) => {
    asked.push(Buffer.from(datagram.data).toString('hex'));
    for (const data of answer(datagram, asked.length)) void (from === BMC ? bmc : other).send(data, datagram.source);
  });
  const began = clock.monotonic();
  const ended: number[] = [];
  const signal = AbortSignal.timeout(10_000);
  const looking = speaksIpmi(BMC, { network: worker, clock, signal }).finally(() => ended.push(clock.monotonic()));
  while (ended.length === 0) await clock.advance(100);
  return { found: await looking, asked, tookMs: (ended[0] ?? 0) - began };
}

describe('a BMC', () => {
  test('that speaks IPMI is found by one ping, as DSP0136 has it', async () => {
    const { found, asked, tookMs } = await ask(() => [pong('81')]);
    expect([found, asked]).toEqual([true, ['0600ff06000011be80000000']]);
    expect(tookMs).toBeLessThan(1_000);
  });

  test('is asked again when the ping, or its answer, is lost', async () => {
    const { found, asked } = await ask((_asked, count) => (count === 1 ? [] : [pong('80', '01')]));
    expect([found, asked]).toEqual([true, ['0600ff06000011be80000000', '0600ff06000011be80010000']]);
  });

  test('that is not there is given up after two seconds', async () => {
    const { found, asked, tookMs } = await ask(() => []);
    expect([found, asked.length]).toEqual([false, 2]);
    expect(tookMs).toBeLessThanOrEqual(2_100);
  });

  test('that speaks ASF only is none', async () => {
    expect((await ask(() => [pong('01')])).found).toBe(false);
  });

  test.each([
    ['an empty datagram', new Uint8Array()],
    ['half an answer', pong('81').slice(0, 20)],
    ['our own ping', hex('06 00 ff 06 00 00 11 be 80 00 00 00 00 00 00 00 00 00 00 00 81 00')],
    ['another enterprise', hex('06 00 ff 06 00 00 00 01 40 00 00 10 00 00 11 be 00 00 00 00 81 00 00 00')],
    ['IPMI’s class', hex('06 00 ff 07 00 00 11 be 40 00 00 10 00 00 11 be 00 00 00 00 81 00 00 00')],
  ])('that answers with %s is none', async (_name, data) => {
    expect((await ask(() => [data])).found).toBe(false);
  });

  test('is not found by somebody else’s answer', async () => {
    expect((await ask(() => [pong('81')], { address: '10.9.0.8', port: 623 })).found).toBe(false);
    expect((await ask(() => [pong('81')], { address: BMC.address, port: 624 })).found).toBe(false);
  });
});
