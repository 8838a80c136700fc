import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOfIpv6,
  decodeDhcp6,
  decodeDhcp6Envelope,
  decodeDuid,
  decodeIaPrefix,
  Dhcp6OptionCode,
  encodeDhcp6,
  encodeDhcp6Reply,
  encodeDuid,
  findDhcp6Option,
  iaAddressOption,
  identityAssociationOption,
  ipv6OfBytes,
  macOfDuid,
  parseIpv6,
  readBootFileParameters,
  readBootFileUrl,
  readClientLinkLayerAddress,
  readDhcp6ClientArchs,
  readDhcp6ClientInterface,
  readDhcp6RemoteId,
  readDhcp6Status,
  readDhcp6UserClasses,
  readDhcp6VendorClasses,
  readDhcp6VendorOptions,
  readDomainList,
  readElapsedMs,
  readIaAddresses,
  readIdentityAssociations,
  readIpv6s,
  readNtpServers,
  readOptionRequest,
  readPreference,
} from '../src/index.ts';
import { testDamage } from './damage.ts';
import * as golden from './dhcpv6-goldens.ts';
import { accepted, bytes } from './helpers.ts';

const SLOW_TEST_MS = 60_000;

/** An option of every kind that has a reader. */
const EVERYTHING = `${golden.SOLICIT}
  0007 0001 ff  000d 0004 0002 6e6f  0010 000a 00000157 0004 50584543  0011 0009 00000009 0001 0001 61
  0019 0029 00000001 00000000 00000000 001a 0019 00000001 00000002 38 20010db8000700000000000000000000
  0038 0014 0001 0010 20010db8000000000000000000000123  003b 0004 68747470  003c 0003 0001 61
  003e 0003 010310  0025 0005 00000009 61  004f 0008 0001 525400000101`;
const { relayed, ...messages } = golden;
const corpus = [EVERYTHING, ...Object.values(messages)].flatMap((digits) => [
  bytes(digits),
  bytes(relayed('0c', relayed('0c', digits))),
]);

/** Decoding returns a value; if it accepts, encoding gives the same bytes, and every reader returns. */
function verify(input: Uint8Array): void {
  const outer = decodeDhcp6(input);
  if (outer.ok) {
    const encoded = encodeDhcp6(outer.value);
    if (Buffer.compare(encoded, input) !== 0) expect(encoded).toEqual(input);
  }
  const envelope = decodeDhcp6Envelope(input);
  if (!envelope.ok) {
    const { offset, reason } = envelope;
    if (offset < 0 || offset > input.length || reason === '') expect(envelope).toBeUndefined();
    return;
  }
  const { message, relays } = envelope.value;
  expect(encodeDhcp6Reply(message, relays).length).toBeLessThanOrEqual(input.length);
  for (const options of [message.options, ...relays.map((relay) => relay.options)]) {
    for (const read of [
      readBootFileParameters,
      readBootFileUrl,
      readClientLinkLayerAddress,
      readDhcp6ClientArchs,
      readDhcp6ClientInterface,
      readDhcp6RemoteId,
      readDhcp6Status,
      readDhcp6UserClasses,
      readDhcp6VendorClasses,
      readDhcp6VendorOptions,
      readDomainList,
      readElapsedMs,
      readNtpServers,
      readOptionRequest,
      readPreference,
    ]) {
      read(options);
    }
    readIpv6s(options, Dhcp6OptionCode.DNS_SERVERS);
    const id = decodeDuid(findDhcp6Option(options, Dhcp6OptionCode.CLIENT_ID) ?? new Uint8Array(0));
    if (id.ok) {
      expect(encodeDuid(id.value)).toEqual(findDhcp6Option(options, Dhcp6OptionCode.CLIENT_ID));
      macOfDuid(id.value);
    }
    const associations = readIdentityAssociations(options);
    for (const ia of associations.ok ? associations.value : []) {
      const addresses = readIaAddresses(ia);
      for (const address of addresses.ok ? addresses.value : []) iaAddressOption(address);
      decodeIaPrefix(findDhcp6Option(ia.options, Dhcp6OptionCode.IA_PREFIX) ?? new Uint8Array(0));
      identityAssociationOption(ia);
    }
  }
}

describe('DHCPv6', { timeout: SLOW_TEST_MS }, () => {
  testDamage(corpus, verify);
  test('random bytes, and random options of every code that is read, are values', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), verify), { numRuns: 1000 });
    const option = fc.record({
      code: fc.constantFrom(...Object.values(Dhcp6OptionCode)),
      data: fc.uint8Array({ maxLength: 60 }),
    });
    const message = fc.record({ type: fc.nat(11), options: fc.array(option, { maxLength: 8 }) });
    fc.assert(
      fc.property(message, ({ type, options }) =>
        verify(encodeDhcp6({ kind: 'message', type, transactionId: 1, options })),
      ),
      { numRuns: 2000 },
    );
  });
});

test('an IPv6 address is one text, and that text is it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (address, mask) => {
        // Half of the bytes zero, so that runs of zeros are met.
        const sparse = address.map((byte, index) => (mask[index]! < 128 ? 0 : byte));
        const text = accepted(ipv6OfBytes(sparse));
        expect(bytesOfIpv6(text)).toEqual(sparse);
        expect(accepted(parseIpv6(text.toUpperCase().replace('::FFFF', '::ffff')))).toBe(text);
      },
    ),
    { numRuns: 2000 },
  );
});
