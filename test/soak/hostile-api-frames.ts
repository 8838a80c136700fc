import type { Random } from './random.ts';

/** RFC 9113, section 6. */
const Frame = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const END_STREAM = 1;
const END_HEADERS = 4;
/** `:method: POST` and `:scheme: https` of HPACK's static table (RFC 7541, appendix A); the rest is made up. */
const HEADER_BLOCK = Buffer.from([0x83, 0x87]);

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

const repeated = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

/** What a client sends on an HTTP/2 connection that means no good: a preface, as a rule, and then one kind of flood. */
export function hostileFrames(random: Random): Buffer {
  const junk = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)));
  const start = Buffer.concat([Buffer.from(PREFACE), frame(Frame.Settings, 0, 0)]);
  const floods: (() => Buffer)[] = [
    () => repeated(20_000, () => frame(Frame.Ping, 0, 0, junk(8))),
    () => repeated(20_000, () => frame(Frame.Settings, 0, 0, Buffer.from([0, 4, 0, 0, random.below(256), 0]))),
    () =>
      frame(
        Frame.Settings,
        0,
        0,
        repeated(2_000, (index) => Buffer.from([0, index % 256, 0, 0, 0, 1])),
      ),
    () =>
      Buffer.concat([
        frame(Frame.Headers, 0, 1, HEADER_BLOCK),
        repeated(5_000, () => frame(Frame.Continuation, 0, 1, Buffer.from([0x40, 1, 0x61, 1, 0x62]))),
      ]),
    // 0x3f…: a table of some size; then fields that are indexed for ever.
    () => frame(Frame.Headers, END_HEADERS, 1, Buffer.concat([HEADER_BLOCK, Buffer.alloc(16_000, 0xbe)])),
    () =>
      repeated(10_000, (index) =>
        Buffer.concat([
          frame(Frame.Headers, END_HEADERS, 2 * index + 1, HEADER_BLOCK),
          frame(Frame.RstStream, 0, 2 * index + 1, Buffer.from([0, 0, 0, 8])),
        ]),
      ),
    () =>
      Buffer.concat([
        frame(Frame.Headers, END_HEADERS, 1, HEADER_BLOCK),
        repeated(50_000, () => frame(Frame.Data, 0, 1)),
      ]),
    () => repeated(20_000, () => frame(Frame.Priority, 0, 2 * random.below(1_000) + 1, junk(5))),
    () => repeated(5, () => frame(Frame.WindowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
    () => repeated(1_000, () => frame(Frame.GoAway, 0, 0, junk(64))),
    () => frame(Frame.PushPromise, END_HEADERS, 1, junk(40)),
    () => frame(Frame.Data, END_STREAM, random.below(10), junk(100)),
    () => repeated(200, () => frame(random.below(16), random.below(256), random.below(8), junk(random.below(200)))),
    () => junk(1 + random.below(5_000)),
  ];
  const flood = floods[random.below(floods.length)]?.() ?? start;
  return random.below(20) === 0 ? flood : Buffer.concat([start, flood]);
}
