import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/dhcp/address-probe.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { engine, macOf } from './engine-lab.ts';

describe('an address that its client did not have lately', () => {
  /** A network that answers when the test says so. */
  function asked() {
    const questions: { address: string; answer: (result: ProbeResult) => void }[] = [];
    const probe = (address: string): Promise<ProbeResult> =>
      new Promise((resolve) => questions.push({ address, answer: resolve }));
    return { questions, probe };
  }
  const inUse =
    (...addresses: readonly string[]) =>
    (address: string): Promise<ProbeResult> =>
      Promise.resolve(addresses.includes(address) ? 'in-use' : 'free');
  const settle = async (lab: ReturnType<typeof engine>): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) await lab.clock.settle();
  };
  const offered = (lab: ReturnType<typeof engine>): string[] => lab.heard.map(({ packet }) => packet.yiaddr);

  it('is offered when the network has said that it is free, and no other machine waits for that', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1), lab.request(MAC_2, '10.0.1.150'));
    expect(offered(lab)).toEqual(['10.0.1.150']);
    questions[0]?.answer('free');
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.150', '10.0.1.100']);
  });

  it('is asked for once while the client repeats itself, and its newest DISCOVER is answered', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1, 1));
    lab.receive(lab.discover(MAC_1, 2));
    expect(questions).toHaveLength(1);
    questions[0]?.answer('free');
    await settle(lab);
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2]);
    lab.receive(lab.discover(MAC_1, 3));
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2, 3]);
    expect(questions).toHaveLength(1);
  });

  it('in use is set aside on disk, named and counted, and the next one is offered', async () => {
    const lab = engine({ probe: inUse('10.0.1.100') });
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.101']);
    expect(lab.onDisk).toEqual([1]);
    expect(await lab.drops('address-conflict')).toBe(1);
    const told = lab.log.records.filter(({ fields }) => fields['event'] === 'dhcp.conflict');
    expect(told.map(({ fields }) => fields['address'])).toEqual(['10.0.1.100']);
    lab.receive(lab.discover(MAC_2));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.101', '10.0.1.102']);
  });

  it('three in a row in use: silence, and the next DISCOVER goes on from there', async () => {
    const lab = engine({ probe: inUse('10.0.1.100', '10.0.1.101', '10.0.1.102') });
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual([]);
    expect(await lab.drops('addresses-in-use')).toBe(1);
    lab.receive(lab.discover(MAC_1));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.103']);
  });

  it('is offered where nobody can be asked, and where asking fails', async () => {
    const lab = engine({
      probe: (address) => (address === '10.0.1.100' ? Promise.resolve('unknown') : Promise.reject(new Error('no'))),
    });
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_2));
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.100', '10.0.1.101']);
  });

  it('nobody is asked for an address that the client holds', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.request(MAC_1, '10.0.1.150'));
    lab.receive(lab.discover(MAC_1));
    expect(offered(lab)).toEqual(['10.0.1.150', '10.0.1.150']);
    expect(questions).toEqual([]);
  });

  it('32 are asked for at once, and more are offered unasked', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(...Array.from({ length: 70 }, (_, index) => lab.discover(macOf(index))));
    expect(questions).toHaveLength(32);
    expect(lab.heard).toHaveLength(38);
    for (const { answer } of questions) answer('free');
    await settle(lab);
    expect(lab.heard).toHaveLength(70);
  });

  it('that the client got meanwhile is left to it', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1));
    lab.receive(lab.request(MAC_1, '10.0.1.100'));
    questions[0]?.answer('in-use');
    await settle(lab);
    expect(offered(lab)).toEqual(['10.0.1.100', '10.0.1.100']);
    expect(await lab.drops('address-conflict')).toBe(0);
  });

  it('is asked for again when a minute has passed', async () => {
    const { questions, probe } = asked();
    const lab = engine({ probe });
    lab.receive(lab.discover(MAC_1));
    questions[0]?.answer('free');
    await settle(lab);
    await lab.clock.advance(60_000);
    lab.receive(lab.discover(MAC_1));
    expect(questions.map(({ address }) => address)).toEqual(['10.0.1.100', '10.0.1.100']);
  });
});
