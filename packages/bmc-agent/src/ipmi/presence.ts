import type { Clock, Endpoint, Network } from '@ingot/net';

/**
 * RMCP's message that finds management controllers (ASF 2.0, DSP0136, sections 3.2.2 and 3.2.4.2): version 1.0, no sequence
 * number, class ASF; then ASF's enterprise number 4542, Presence Ping, the tag, and no data.
 */
const PING = [0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x80] as const;
const PONG_TYPE = 0x40;
/** After header, type, tag, a reserved byte and the length: enterprise and OEM, four bytes each. */
const ENTITIES_AT = 20;
/** Of the supported entities. */
const IPMI_BIT = 0x80;

/** A lost datagram costs one more; BMCs answer within milliseconds. */
const TRIES = 2;
const ANSWER_MS = 1_000;

export interface PresenceOptions {
  readonly network: Pick<Network, 'bindUdp'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Whether a BMC that speaks IPMI is there. Asks for no login, and sends none. Rejects with the signal's reason. */
export async function speaksIpmi(target: Endpoint, { network, clock, signal }: PresenceOptions): Promise<boolean> {
  const address = target.address.includes(':') ? '::' : '0.0.0.0';
  await using socket = await network.bindUdp({ address, port: 0 });
  const answered = new AbortController();
  let found = false;
  socket.onDatagram(({ data, source }) => {
    const isIts = source.address === target.address && source.port === target.port;
    if (!isIts || !isPong(data)) return;
    found = ((data[ENTITIES_AT] ?? 0) & IPMI_BIT) !== 0;
    answered.abort();
  });
  for (let tag = 0; tag < TRIES && !answered.signal.aborted; tag += 1) {
    // Whoever is not there may say so by ICMP, which is an error of a later send.
    await socket.send(Uint8Array.of(...PING, tag, 0, 0), target).catch(() => undefined);
    await clock.sleep(ANSWER_MS, AbortSignal.any([signal, answered.signal])).catch(() => undefined);
    signal.throwIfAborted();
  }
  return found;
}

/** Whatever its tag: an answer to the first ping may come after the second. */
function isPong(data: Uint8Array): boolean {
  const isAsf = data[0] === 0x06 && ((data[3] ?? 0) & 0x1f) === 0x06;
  const isAsfs = data[4] === 0 && data[5] === 0 && data[6] === 0x11 && data[7] === 0xbe;
  return isAsf && isAsfs && data[8] === PONG_TYPE && data.length > ENTITIES_AT;
}
