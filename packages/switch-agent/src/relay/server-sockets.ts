import { DHCP_SERVER_PORT, type Ipv4 } from '@ingot/wire';
import type { Datagram, Network, UdpSocket } from '@ingot/net';

/** Where a socket is bound: an address of ours, and a VRF device. */
export interface ServerPlace {
  readonly address: Ipv4;
  readonly device: string | undefined;
}

/** The sockets by which servers are asked and answer, one for each place. */
export interface ServerSockets {
  /** Opens what is missing and closes what is not wanted any more; gives why a place has none, by its key. */
  want(places: readonly ServerPlace[]): Promise<ReadonlyMap<string, string>>;
  get(place: ServerPlace): UdpSocket | undefined;
  close(): Promise<void>;
}

export function keyOfPlace({ address, device }: ServerPlace): string {
  return `${address}@${device ?? ''}`;
}

export function createServerSockets(
  network: Network,
  onDatagrams: (key: string, datagrams: readonly Datagram[]) => void,
  onError: (error: Error) => void,
): ServerSockets {
  const sockets = new Map<string, UdpSocket>();
  const open = async (place: ServerPlace): Promise<void> => {
    const { address, device } = place;
    const key = keyOfPlace(place);
    const socket = await network.bindUdp({
      address,
      port: DHCP_SERVER_PORT,
      batch: true,
      ...(device === undefined ? {} : { interface: device }),
    });
    socket.onBatch((datagrams) => onDatagrams(key, datagrams));
    socket.onError(onError);
    sockets.set(key, socket);
  };
  return {
    want: async (places) => {
      const wanted = new Map(places.map((place) => [keyOfPlace(place), place]));
      for (const [key, socket] of sockets) {
        if (wanted.has(key)) continue;
        sockets.delete(key);
        await socket.close();
      }
      const failed = new Map<string, string>();
      for (const [key, place] of wanted) {
        if (sockets.has(key)) continue;
        try {
          await open(place);
        } catch (error) {
          failed.set(key, error instanceof Error ? error.message : String(error));
        }
      }
      return failed;
    },
    get: (place) => sockets.get(keyOfPlace(place)),
    close: async () => {
      const all = [...sockets.values()];
      sockets.clear();
      await Promise.all(all.map((socket) => socket.close()));
    },
  };
}
