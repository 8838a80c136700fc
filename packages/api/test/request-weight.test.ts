import { create, toBinary, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { MAX_VALUES, refuseHeavyBinary, refuseHeavyJson } from '../src/server/request-weight.ts';
import { ApiError, apiV2, infraV2 } from '../src/index.ts';

const register = infraV2.BootServiceRegisterRequestSchema;
const tooMany = `a request has ${MAX_VALUES} values at most`;

/** `count` fields `number` of no length. */
const empties = (number: number, count: number): Uint8Array => {
  const one = new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(new Uint8Array()).finish();
  return Buffer.concat(Array.from({ length: count }, () => one));
};
const within = (number: number, content: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish();

describe('a request in protobuf’s encoding', () => {
  test('with as many values as a large hall has passes, and its bytes do not matter', () => {
    const nics = Array.from({ length: 5_000 }, (_, index) => ({ mac: '52:54:00:12:34:56', name: `eth${index}` }));
    const bytes = toBinary(
      register,
      create(register, { partition: 'lab', hardware: { nics }, tags: ['x'.repeat(2e6)] }),
    );
    expect(bytes.length).toBeGreaterThan(2e6);
    expect(() => refuseHeavyBinary(register, bytes)).not.toThrow();
  });

  test('may report all BMCs of a large partition, as upstream’s worker does', () => {
    const report = (uuid: string): MessageInitShape<typeof apiV2.MachineBMCReportSchema> => ({
      uuid,
      bmc: { address: '10.0.0.7:623', mac: '52:54:00:12:34:56', user: 'metal', interface: 'lanplus', version: '1.2' },
      bios: { vendor: 'Acme', version: '1.2', date: '2026-01-01' },
      fru: {
        chassisPartNumber: 'c',
        chassisPartSerial: 's',
        boardMfg: 'm',
        productSerial: 'p',
        productPartNumber: 'n',
      },
      powerMetric: { averageConsumedWatts: 200, intervalInMin: 5, maxConsumedWatts: 300, minConsumedWatts: 100 },
      powerSupplies: [
        { health: 'OK', state: 'Enabled' },
        { health: 'OK', state: 'Enabled' },
      ],
      ledState: { value: 'LED-OFF' },
    });
    const update = infraV2.UpdateBMCInfoRequestSchema;
    const bmcReports = Array.from({ length: 2_500 }, (_, index) => report(`machine-${index}`));
    const bytes = toBinary(update, create(update, { partition: 'lab', bmcReports }));
    expect(bytes.length).toBeGreaterThan(MAX_VALUES);
    expect(() => refuseHeavyBinary(update, bytes)).not.toThrow();
  });

  test.each([
    ['empty messages within a message', within(2, empties(4, MAX_VALUES))],
    ['texts', empties(6, MAX_VALUES + 1)],
    ['fields that the contract does not know', empties(1_000, MAX_VALUES + 1)],
    [
      'one message that is sent piece by piece',
      Buffer.concat(Array.from({ length: 70_000 }, () => within(2, empties(4, 1)))),
    ],
  ])('is refused with too many %s', (_what, bytes) => {
    expect(() => refuseHeavyBinary(register, bytes)).toThrow(tooMany);
  });

  test('is refused with too many entries of a map, and values in these', () => {
    const send = infraV2.EventServiceSendRequestSchema;
    const events = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`m${index}`, { message: 'x' }]));
    expect(() => refuseHeavyBinary(send, toBinary(send, create(send, { events })))).toThrow(tooMany);
  });

  test('is refused with too many numbers in one field', () => {
    const query = apiV2.MachineNetworkQuerySchema;
    expect(() => refuseHeavyBinary(query, within(6, new Uint8Array(MAX_VALUES + 1)))).toThrow(tooMany);
    expect(() => refuseHeavyBinary(query, within(1, new Uint8Array(MAX_VALUES + 1)))).not.toThrow();
  });

  test('of structures within structures is refused by their values, and followed only so deep', () => {
    let deep: Uint8Array = new Uint8Array(MAX_VALUES);
    for (let depth = 0; depth < 3_000; depth += 1) deep = within(1, within(2, within(5, deep)));
    expect(() => refuseHeavyBinary(StructSchema, deep)).not.toThrow();
  });

  test('that is garbage is left to whoever decodes it', () => {
    const entropy = mockEntropy(1);
    for (let run = 0; run < 200; run += 1) {
      const garbage = entropy.bytes(MAX_VALUES + 1 + run);
      // A start that leads into messages makes it more than skipping.
      garbage.set(run % 2 === 0 ? [0x12, 0xff, 0xff, 0x03] : [], 0);
      try {
        refuseHeavyBinary(register, garbage);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
  });
});

describe('a request in JSON', () => {
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

  test('is refused with too many values, of whatever kind', () => {
    for (const part of ['{},', '[],', '1,', '"",', '{"a":1},'])
      expect(() => refuseHeavyJson(bytesOf(`[${part.repeat(MAX_VALUES)}1]`))).toThrow(tooMany);
    expect(() => refuseHeavyJson(bytesOf('['.repeat(MAX_VALUES + 1)))).toThrow(tooMany);
  });

  test('may have as many commas and brackets in its texts as it likes', () => {
    const text = JSON.stringify({ userdata: `{"a":[1,2,"\\",{[,"]}`.repeat(20_000) });
    expect(text.length).toBeGreaterThan(MAX_VALUES);
    expect(() => refuseHeavyJson(bytesOf(text))).not.toThrow();
    const nics = Array.from({ length: 5_000 }, (_, index) => ({ mac: '52:54:00:12:34:56', name: `eth${index}` }));
    const json = toJsonString(register, create(register, { hardware: { nics } }));
    expect(() => refuseHeavyJson(bytesOf(json))).not.toThrow();
  });
});
