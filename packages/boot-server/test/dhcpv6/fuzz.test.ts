import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Dhcp6MessageType } from '@ingot/wire';
import {
  clientId,
  EDK2_DUID,
  EDK2_HTTP,
  iaNa,
  IPXE,
  IPXE_DUID,
  localClient6,
  message6,
  relayed6,
  startLab6,
} from '../support/dhcp6-client.ts';

const types = Object.values(Dhcp6MessageType);
const real = types.flatMap((type) => [
  message6(type, [clientId(EDK2_DUID), iaNa(1, '2001:db8:0:1::1234'), ...EDK2_HTTP]),
  relayed6(relayed6(message6(type, [clientId(IPXE_DUID), iaNa(2), ...IPXE]), { link: '2001:db8:1::1' }), {
    link: '::',
  }),
]);

it('arbitrary bytes to port 547 never throw, never stop the service, and fill no table', async () => {
  const lab = await startLab6();
  const attacker = await localClient6(lab, 'fe80::66%rack');
  const nearly = fc
    .record({
      packet: fc.constantFrom(...real),
      cut: fc.nat(300),
      changes: fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 }),
      tail: fc.uint8Array({ maxLength: 64 }),
    })
    .map(({ packet, cut, changes, tail }) => {
      const bytes = Uint8Array.from([...packet.slice(0, cut), ...tail]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearly, fc.uint8Array({ maxLength: 600 })), fc.boolean(), async (data, toGroup) => {
      await attacker.send(data, toGroup ? 'ff02::1:2%rack' : '2001:db8::1');
    }),
    { numRuns: 1_500 },
  );
  const failures = lab.log.records.filter(({ level, msg }) => level === 'error' && /could not be answered/.test(msg));
  expect(failures).toEqual([]);
  expect(await lab.drops('dhcp6', 'malformed')).toBeGreaterThan(0);
  await lab.clock.advance(60_000);
  const honest = await localClient6(lab);
  expect(await honest.ask(Dhcp6MessageType.SOLICIT, [clientId(), iaNa(1)])).toMatchObject({
    addresses: [expect.any(String)],
  });
});
