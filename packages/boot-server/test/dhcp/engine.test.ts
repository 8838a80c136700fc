import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { broadcastLimit } from '../../src/dhcp/broadcast-limit.ts';
import type { ClientLink } from '../../src/dhcp/client-link.ts';
import type { BootDecision } from '../../src/decide/decision.ts';
import type { BootQuestion } from '../../src/dhcp/boot-question.ts';
import { openDatabase } from '../../src/store/database.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { CLIENTS, MAC_1, MAC_2, message, readReply } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { engine, macOf, SCRIPT } from './engine-lab.ts';

const { DISCOVER } = MessageType;

/** Throws for one machine, as a bug would. */
function bug({ mac }: BootQuestion): BootDecision {
  if (mac === macOf(5)) throw new TypeError('a bug');
  return SCRIPT;
}
const BROKEN: BootDecision = {
  kind: 'script',
  get url(): string {
    throw new TypeError('a bug');
  },
};

describe('a batch of packets', () => {
  it('is answered in order, after all of its leases are on disk', () => {
    const lab = engine({});
    lab.receive(...Array.from({ length: 20 }, (_, index) => lab.request(macOf(index), `10.0.1.${100 + index}`)));
    expect(lab.heard.map(({ packet }) => packet.yiaddr)).toEqual(
      Array.from({ length: 20 }, (_, index) => `10.0.1.${100 + index}`),
    );
    expect(lab.onDisk).toEqual([20]);
  });

  it('that cannot be committed is not answered, and the next one is', async () => {
    const lab = engine({});
    lab.database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON lease WHEN NEW.mac = '52:54:00:00:00:05' BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
    );
    lab.receive(...[4, 5, 6].map((index) => lab.request(macOf(index), `10.0.1.${100 + index}`)));
    expect(lab.heard).toEqual([]);
    expect(await lab.drops('internal')).toBe(1);
    lab.receive(lab.request(macOf(4), '10.0.1.104'));
    expect(lab.onDisk).toEqual([1]);
  });

  it.each([
    ['at once', bug],
    [
      'later',
      (question: BootQuestion): Promise<BootDecision> => Promise.resolve(question.mac === macOf(5) ? BROKEN : SCRIPT),
    ],
  ])('of which one meets a bug %s is answered but for that one', async (_when, decide) => {
    const lab = engine({ decide });
    lab.receive(...[4, 5, 6].map((index) => lab.discover(macOf(index))));
    await lab.clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lab.heard.map(({ packet }) => packet.chaddr[5])).toEqual([4, 6]);
    expect(await lab.drops('internal')).toBe(1);
    expect(lab.log.records.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('that cannot be committed leaves no lease in memory either, and takes none away', async () => {
    const lab = engine({});
    lab.receive(lab.request(macOf(1), '10.0.1.101'));
    lab.receive(lab.request(macOf(2), '10.0.1.102'));
    lab.database.exec("CREATE TRIGGER full BEFORE INSERT ON lease BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
    // A new lease, and one that moves to another address.
    lab.receive(lab.request(macOf(4), '10.0.1.104'), lab.request(macOf(1), '10.0.1.105'));
    expect(await lab.drops('internal')).toBe(1);
    const addressesOf = (mac: string): unknown[] => lab.leases.leasesOf(mac).map(({ address }) => address & 0xff);
    expect([1, 2, 4].map((index) => addressesOf(macOf(index)))).toEqual([[101], [102], []]);
    lab.database.exec('DROP TRIGGER full');
    // Another one may have it at once.
    lab.receive(lab.request(macOf(5), '10.0.1.104'));
    expect(lab.heard.at(-1)?.packet.yiaddr).toBe('10.0.1.104');
    expect(addressesOf(macOf(5))).toEqual([104]);
  });

  it('writes a sighting again that a failed commit took back', () => {
    const path = join(temporaryFolder(), 'shared.sqlite');
    const lab = engine({ path });
    lab.database.exec("CREATE TRIGGER full BEFORE INSERT ON lease BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
    lab.receive(lab.discover(MAC_1), lab.request(MAC_2, '10.0.1.104'));
    lab.receive(lab.discover(MAC_1));
    const other = openDatabase(path);
    expect(sightingStore(other, lab.clock).find(MAC_1)).toBeDefined();
    other.close();
  });

  it('with rubbish in it is answered as far as it makes sense', async () => {
    const lab = engine({});
    lab.receive(new Uint8Array(3), lab.discover(MAC_1), new Uint8Array(500).fill(255), lab.discover(MAC_2));
    expect(lab.heard).toHaveLength(2);
    expect(await lab.drops('malformed')).toBe(2);
  });
});

describe('a decision that takes its time', () => {
  /** Decides when the test says so. */
  function slowly() {
    const asked: { mac: string; decide: (decision: BootDecision) => void; fail: (error: Error) => void }[] = [];
    const decide = ({ mac }: BootQuestion): Promise<BootDecision> =>
      new Promise((resolve, reject) => asked.push({ mac, decide: resolve, fail: reject }));
    return { asked, decide };
  }

  it('delays no other machine', async () => {
    const source = slowly();
    const lab = engine({ decide: (question) => (question.mac === MAC_1 ? source.decide(question) : SCRIPT) });
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_2));
    expect(lab.heard.map(({ packet }) => packet.yiaddr)).toEqual(['10.0.1.100']);
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard).toHaveLength(2);
  });

  it('is asked for once however often the machine repeats itself, and its last packet is answered', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    for (const xid of [7, 8, 9]) lab.receive(lab.discover(MAC_1, xid));
    expect(source.asked).toHaveLength(1);
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([9]);
    expect(lab.dhcp.undecided).toBe(0);
  });

  it('for the firmware is not given to the iPXE that follows it', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1, 1, CLIENTS.biosRom));
    lab.receive(lab.discover(MAC_1, 2, CLIENTS.biosIpxe));
    source.asked[0]?.decide({ kind: 'chain-tftp', path: 'x/undionly.kpxe', firmware: 'bios' });
    source.asked[1]?.decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([2]);
    expect(await lab.drops('superseded')).toBe(1);
  });

  it('many at once are answered and committed together', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(...Array.from({ length: 64 }, (_, index) => lab.discover(macOf(index))));
    for (const { decide } of source.asked) decide(SCRIPT);
    await lab.clock.settle();
    expect(lab.heard).toHaveLength(64);
    expect(lab.onDisk).toHaveLength(1);
  });

  it('that does not come in time leaves the machine to ask again, with a warning', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1));
    await lab.clock.advance(1_499);
    expect(lab.dhcp.undecided).toBe(1);
    await lab.clock.advance(1);
    expect(lab.dhcp.undecided).toBe(0);
    expect(lab.heard).toEqual([]);
    expect(await lab.drops('undecided')).toBe(1);
    expect(lab.log.records.some(({ level, fields }) => level === 'warn' && fields['reason'] === 'undecided')).toBe(
      true,
    );
    expect(lab.clock.pendingTimers).toBe(0);
  });

  it('says in the log what the source said, also when it says so too late', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    const words = (): string[] => lab.log.records.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    lab.receive(lab.discover(MAC_1));
    source.asked[0]?.fail(new Error('http://10.0.0.5/v1/boot/1 answers 500'));
    await lab.clock.settle();
    expect(words()).toEqual(['no DHCP answer: http://10.0.0.5/v1/boot/1 answers 500']);
    lab.receive(lab.discover(MAC_2));
    await lab.clock.advance(1_500);
    expect(words().at(-1)).toBe(
      'no DHCP answer: nothing was decided in time; a question before: http://10.0.0.5/v1/boot/1 answers 500',
    );
    source.asked[1]?.fail(new Error('no answer within 2000 ms'));
    await lab.clock.settle();
    lab.receive(lab.discover(MAC_1));
    await lab.clock.advance(1_500);
    expect(words().at(-1)).toContain('a question before: no answer within 2000 ms');
    await lab.clock.advance(60_000);
    lab.receive(lab.discover(MAC_2));
    await lab.clock.advance(1_500);
    expect(words().at(-1)).toBe('no DHCP answer: nothing was decided in time');
  });

  it('or fails is replaced by what the machine booted last', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1, 1));
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    lab.receive(lab.discover(MAC_1, 2));
    await lab.clock.advance(1_500);
    lab.receive(lab.discover(MAC_1, 3));
    source.asked[2]?.fail(new Error('away'));
    await lab.clock.settle();
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([1, 2, 3]);
  });

  it('is not replaced by the last one when the operator says ignore', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide, whenUndecided: 'ignore' });
    lab.receive(lab.discover(MAC_1, 1));
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.settle();
    lab.receive(lab.discover(MAC_1, 2));
    await lab.clock.advance(1_500);
    expect(lab.heard.map(({ packet }) => packet.xid)).toEqual([1]);
  });

  it('is awaited for 4,096 machines at most: the longest waiting go', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    for (let index = 0; index < 4_100; index += 1) lab.receive(lab.discover(macOf(index)));
    await lab.clock.settle();
    expect(lab.dhcp.undecided).toBe(4_096);
    expect(await lab.drops('overloaded')).toBe(4);
  });

  it('comes to nothing after a stop', async () => {
    const source = slowly();
    const lab = engine({ decide: source.decide });
    lab.receive(lab.discover(MAC_1));
    lab.dhcp.stop();
    source.asked[0]?.decide(SCRIPT);
    await lab.clock.advance(2_000);
    expect(lab.heard).toEqual([]);
    expect(lab.clock.pendingTimers).toBe(0);
  });
});

describe('answers by broadcast', () => {
  const local = (mac: string): Uint8Array => message(DISCOVER, { mac, kind: CLIENTS.biosIpxe });

  it('are limited for each client, and for all', async () => {
    const lab = engine({});
    for (let index = 0; index < 20; index += 1) lab.receive(local(MAC_1));
    expect(lab.heard).toHaveLength(16);
    expect(await lab.drops('broadcast-limit')).toBe(4);
    await lab.clock.advance(1_000);
    lab.receive(local(MAC_1));
    expect(lab.heard).toHaveLength(17);
    // 2,000 a second, whatever the number of clients that somebody invents.
    await lab.clock.advance(1_000);
    const mayBroadcast = broadcastLimit(lab.clock);
    const allowed = (): number =>
      Array.from({ length: 5_000 }, (_, index) => mayBroadcast(macOf(index))).filter(Boolean).length;
    expect(allowed()).toBe(2_000);
    expect(allowed()).toBe(0);
    await lab.clock.advance(1_000);
    expect(allowed()).toBe(2_000);
  });
});

describe('the log', () => {
  it('has the first answer of a boot at info, its repetitions at debug, and the next boot at info', async () => {
    const lab = engine({});
    const levels = (): string[] =>
      lab.log.records.filter(({ fields }) => fields['event'] === 'dhcp.offer').map(({ level }) => level);
    lab.receive(lab.discover(MAC_1), lab.discover(MAC_1));
    await lab.clock.advance(30_000);
    lab.receive(lab.discover(MAC_1));
    expect(levels()).toEqual(['info', 'debug', 'info']);
  });
});

describe('a client of the own link without an address', () => {
  function link(works = true) {
    const sent: string[] = [];
    const send: ClientLink['send'] = (mac, address, data) => {
      if (works) sent.push(`${mac} ${address} ${readReply(data).packet.yiaddr}`);
      return works;
    };
    return { sent, send };
  }
  const discover = (flags: number): Uint8Array => message(DISCOVER, { mac: MAC_1, kind: { ...CLIENTS.udhcpc, flags } });

  it('is answered alone, at its hardware address', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, discover(0));
    expect(own.sent).toEqual([`${MAC_1} 10.0.0.100 10.0.0.100`]);
    expect(lab.heard).toEqual([]);
  });

  it('is answered by broadcast when it asks for that', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, discover(0x8000));
    expect(own.sent).toEqual([]);
    expect(lab.heard).toHaveLength(1);
  });

  it.each([
    ['the frame does not leave', link(false)],
    ['there is no right to send frames', undefined],
  ])('is answered by broadcast when %s', (_case, own) => {
    const lab = engine({});
    lab.receiveLocally(own, discover(0));
    expect(lab.heard).toHaveLength(1);
  });

  it('with a hardware address of a group is answered by broadcast', () => {
    const lab = engine({});
    const own = link();
    lab.receiveLocally(own, message(DISCOVER, { mac: '53:54:00:00:00:01', kind: CLIENTS.udhcpc }));
    expect(own.sent).toEqual([]);
    expect(lab.heard).toHaveLength(1);
  });
});
