import type { MockClock, MockNetwork } from '@ingot/net';

const UNIX_EPOCH = 2_208_988_800;

export interface TimeServer {
  readonly network: MockNetwork;
  readonly clock: MockClock;
  readonly address: string;
  /** Its time, milliseconds since 1970. */
  readonly now: () => number;
}

/** A time server that takes 20 ms to answer; `change` spoils its answers. */
export async function timeServer(
  { network, clock, address, now }: TimeServer,
  change: (answer: Uint8Array) => void = () => undefined,
): Promise<void> {
  const socket = await network.host(address, address).bindUdp({ address: '0.0.0.0', port: 123 });
  socket.onDatagram(({ data, source }) => {
    const answer = new Uint8Array(48);
    answer[0] = 0x24;
    answer[1] = 2;
    answer.set(data.subarray(40, 48), 24);
    const view = new DataView(answer.buffer);
    const write = (offset: number, ms: number): void => {
      view.setUint32(offset, Math.floor(ms / 1000) + UNIX_EPOCH);
      view.setUint32(offset + 4, Math.floor(((ms % 1000) / 1000) * 2 ** 32));
    };
    write(32, now());
    clock.setTimeout(() => {
      write(40, now());
      change(answer);
      void socket.send(answer, source);
    }, 20);
  });
}
