import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  agentValue,
  buildDhcp,
  decodeDhcp,
  editedLength,
  editRelayed,
  encodeDhcp,
  ipv4ToNumber,
  outlineDhcp,
  outlineHardwareAddress,
  readOptions,
  type DhcpOption,
  type DhcpOutline,
} from '../src/index.ts';
import { testDamage } from './damage.ts';
import { accepted, ascii, bytes, ip, refused } from './helpers.ts';
import { readPcap } from './pcap.ts';

const folder = new URL('goldens/', import.meta.url);
const real = readdirSync(folder)
  .filter((name) => name.endsWith('.pcap'))
  .flatMap((name) => readPcap(readFileSync(new URL(name, folder))))
  .flatMap((captured) =>
    captured.kind === 'udp' && [67, 68].includes(captured.target.port) ? [captured.payload] : [],
  );

const GIADDR = ipv4ToNumber(ip('10.0.1.1'));
const AGENT = bytes('01 05 6c656166 31');

function packet(...options: DhcpOption[]): Uint8Array {
  return encodeDhcp(
    accepted(buildDhcp({ op: 1, xid: 7, chaddr: bytes('525400000101'), options }, { minBytes: 0, maxBytes: 4000 })),
  );
}

function outline(data: Uint8Array): DhcpOutline {
  return accepted(outlineDhcp(data));
}

/** Reads the edited packet with the other decoder. */
function optionsOf(data: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return readOptions(accepted(decodeDhcp(data)));
}

const DISCOVER: DhcpOption = { code: 53, data: bytes('01') };

describe('what a relay agent looks at', () => {
  test('is what the whole decoder finds', () => {
    expect(real.length).toBeGreaterThan(50);
    for (const data of real) {
      const whole = accepted(decodeDhcp(data));
      const options = readOptions(whole);
      const found = outline(data);
      expect(found).toMatchObject({ op: whole.op, hops: whole.hops, xid: whole.xid, flags: whole.flags });
      expect([found.ciaddr, found.yiaddr, found.giaddr]).toEqual(
        [whole.ciaddr, whole.yiaddr, whole.giaddr].map(ipv4ToNumber),
      );
      expect(found.messageType).toBe(options.get(53)?.[0]);
      expect(agentValue(data, found)).toEqual(options.get(82) ?? bytes(''));
      expect(outlineHardwareAddress(data, found)).toEqual(whole.chaddr.slice(0, whole.hlen));
    }
  });

  test('takes the addresses of options 50 and 54, if they are addresses', () => {
    const asked = outline(packet({ code: 50, data: bytes('0a000164') }, { code: 54, data: bytes('0a000001') }));
    expect(asked).toMatchObject({ requestedAddress: 0x0a00_0164, serverId: 0x0a00_0001 });
    const odd = outline(packet({ code: 50, data: bytes('0a00') }, { code: 54, data: bytes('') }));
    expect(odd).toMatchObject({ requestedAddress: 0, serverId: 0 });
  });

  test('has no message type for BOOTP, and 0 for two of them', () => {
    expect(outline(packet()).messageType).toBeUndefined();
    const twice = packet(DISCOVER);
    const edited = Uint8Array.from([...twice.subarray(0, -1), ...bytes('350103 ff')]);
    expect(outline(edited).messageType).toBe(0);
  });

  test('finds an option 82 that hides in an overloaded field', () => {
    const hidden = packet(DISCOVER);
    const overloaded = Uint8Array.from([...hidden.subarray(0, -1), ...bytes('340101 ff')]);
    overloaded.set(bytes('52 03 01 01 78 ff'), 108);
    expect(outline(overloaded)).toMatchObject({ hasHiddenAgent: true, agentPieces: [] });
    overloaded.set(bytes('00 52 80'), 108);
    refused(outlineDhcp(overloaded), 109, 'runs past the end');
  });
});

describe('an edited packet', () => {
  test('has option 82 last, its hops and giaddr, and everything else as it was', () => {
    for (const data of real) {
      const before = accepted(decodeDhcp(data));
      const found = outline(data);
      const edited = editRelayed(data, found, { hops: 3, giaddr: GIADDR, agent: AGENT });
      const after = accepted(decodeDhcp(edited));
      expect(after.options.at(-1)).toEqual({ code: 82, data: AGENT });
      expect(after.options.slice(0, -1)).toEqual(before.options.filter(({ code }) => code !== 82));
      expect({ ...after, hops: 0, giaddr: 0, options: [], trailing: 0, end: 0 }).toEqual({
        ...before,
        hops: 0,
        giaddr: 0,
        options: [],
        trailing: 0,
        end: 0,
      });
      expect([after.hops, after.giaddr]).toEqual([3, '10.0.1.1']);
      expect(edited).toHaveLength(editedLength(found, AGENT));
      expect(edited.length).toBeGreaterThanOrEqual(300);
    }
  });

  test('that comes back is what went out, but for what follows END', () => {
    for (const data of real) {
      const there = editRelayed(data, outline(data), { hops: 1, giaddr: GIADDR, agent: AGENT });
      const back = editRelayed(there, outline(there), { hops: 0, giaddr: 0, agent: bytes('') });
      expect(optionsOf(back)).toEqual(new Map([...optionsOf(data)].filter(([code]) => code !== 82)));
    }
  });

  test('keeps its own option 82 untouched where none is given', () => {
    const data = packet(DISCOVER, { code: 82, data: ascii('\u0001\u0002xy') });
    const edited = editRelayed(data, outline(data), { hops: 2, giaddr: GIADDR, agent: undefined });
    expect(edited.subarray(240)).toEqual(data.subarray(240));
    expect(accepted(decodeDhcp(edited))).toMatchObject({ hops: 2, giaddr: '10.0.1.1' });
  });

  test('carries an option 82 of more than 255 bytes in pieces', () => {
    const long = new Uint8Array(600).fill(7);
    const data = packet(DISCOVER);
    const edited = editRelayed(data, outline(data), { hops: 1, giaddr: GIADDR, agent: long });
    expect(optionsOf(edited).get(82)).toEqual(long);
    expect(agentValue(edited, outline(edited))).toEqual(long);
    const gone = editRelayed(edited, outline(edited), { hops: 1, giaddr: GIADDR, agent: bytes('') });
    expect(optionsOf(gone).has(82)).toBe(false);
  });

  test('gets the END that its sender left out', () => {
    const data = packet(DISCOVER).subarray(0, -1);
    const edited = editRelayed(data, outline(data), { hops: 1, giaddr: GIADDR, agent: AGENT });
    expect(accepted(decodeDhcp(edited))).toMatchObject({ end: true });
    expect(optionsOf(edited).get(82)).toEqual(AGENT);
  });
});

describe('damaged packets', () => {
  testDamage(
    [packet(DISCOVER, { code: 52, data: bytes('03') }, { code: 82, data: AGENT }), ...real.slice(0, 3)],
    (data) => {
      const found = outlineDhcp(data);
      expect(found.ok).toBe(decodeDhcp(data).ok);
      if (!found.ok) return;
      const edited = editRelayed(data, found.value, { hops: 1, giaddr: GIADDR, agent: AGENT });
      expect(optionsOf(edited).get(82)?.subarray(0, AGENT.length)).toEqual(AGENT);
    },
  );
});
