import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { SERVER } from './support/config.ts';
import { relay } from './support/dhcp-client.ts';
import { CLIENTS, ip, MAC_1, message } from './support/dhcp-messages.ts';
import { startLab, type Lab } from './support/lab.ts';

/** Bytes that come near to something: a real message, cut and with some bytes changed. */
const nearly = (real: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      length: fc.integer({ min: 0, max: real.length }),
      changes: fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 8 }),
      tail: fc.uint8Array({ maxLength: 64 }),
    })
    .map(({ length, changes, tail }) => {
      const bytes = Uint8Array.from([...real.slice(0, length), ...tail]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });

const realDhcp = Object.values(CLIENTS).flatMap((kind) =>
  [MessageType.DISCOVER, MessageType.REQUEST, MessageType.DECLINE, MessageType.INFORM].map((type) =>
    message(type, { mac: MAC_1, kind, giaddr: ip('10.0.1.1') }, [
      { code: 82, data: Uint8Array.of(1, 2, 3, 4, 5, 4, 10, 0, 2, 1) },
    ]),
  ),
);
const realTftp = [
  '\0\x01snponly.efi\0octet\0blksize\x001468\0windowsize\x0016\0',
  '\0\x04\0\0',
  '\0\x05\0\x08no\0',
  '\0\x02x\0octet\0',
].map((text) => Uint8Array.from(Buffer.from(text, 'latin1')));

async function isAlive(lab: Lab): Promise<void> {
  const via = await relay(lab, '10.0.2.1');
  expect(await via.ask(MessageType.DISCOVER, { mac: '52:54:00:00:09:09', kind: CLIENTS.edk2 })).toBeDefined();
  expect((await lab.get('/boot/snponly.efi', { method: 'HEAD' })).status).toBe(200);
}

describe('arbitrary bytes', () => {
  it.each([
    ['DHCP', 67, realDhcp],
    ['PXE', 4011, realDhcp],
    ['TFTP', 69, realTftp],
  ])('to the %s port never throw and never stop the service', async (_name, port, real) => {
    const lab = await startLab();
    const attacker = lab.network.host('attacker', '10.0.0.66/24');
    const socket = await attacker.bindUdp({ address: '10.0.0.66', port: 0, broadcast: true });
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), ...real.map(nearly));
    await fc.assert(
      fc.asyncProperty(bytes, async (data) => {
        await socket.send(data, { address: SERVER, port });
        await lab.clock.advance(0);
      }),
      { numRuns: 600 },
    );
    await lab.clock.advance(60_000);
    const failures = lab.log.records.filter(({ level, msg }) => level === 'error' && /could not be answered/.test(msg));
    expect(failures).toEqual([]);
    expect(await lab.drops(port === 67 ? 'dhcp' : port === 69 ? 'tftp' : 'pxe', 'malformed')).toBeGreaterThan(0);
    await isAlive(lab);
  });
});
