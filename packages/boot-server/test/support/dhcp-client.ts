import type { MockHost } from '@ingot/net';
import { bytesOfIpv4, MessageType, type DhcpOption, type Ipv4 } from '@ingot/wire';
import { SERVER } from './config.ts';
import { ip, message, readReply, type ClientKind, type Reply } from './dhcp-messages.ts';
import type { Lab } from './lab.ts';

/** Option 82 as isc-dhcp-relay -a writes it: circuit id "Vlan4000". */
export const OPTION_82: DhcpOption = { code: 82, data: Uint8Array.of(1, 8, ...Buffer.from('Vlan4000')) };

/** A NIC on the server's own link: sends broadcasts from port 68 and keeps what it hears there. */
export async function localClient(
  lab: Lab,
  host: MockHost,
): Promise<{ send(data: Uint8Array): Promise<Reply | undefined>; post(data: Uint8Array): void; heard: Reply[] }> {
  const socket = await host.bindUdp({ address: '0.0.0.0', port: 68, broadcast: true });
  const heard: Reply[] = [];
  socket.onDatagram(({ data }) => heard.push(readReply(data)));
  return {
    heard,
    post: (data) => void socket.send(data, { address: '255.255.255.255', port: 67 }),
    send: async (data) => {
      const before = heard.length;
      await socket.send(data, { address: '255.255.255.255', port: 67 });
      await lab.clock.advance(0);
      return heard[before];
    },
  };
}

/** A relay as ISC's: giaddr, hops, option 82 appended; replies come back to its port 67. */
export async function relay(
  lab: Lab,
  giaddr: string,
  extra: readonly DhcpOption[] = [OPTION_82],
): Promise<{
  host: MockHost;
  ask(
    type: MessageType,
    client: { mac: string; kind: ClientKind },
    options?: readonly DhcpOption[],
  ): Promise<Reply | undefined>;
  heard: Reply[];
}> {
  const host = lab.network.host(`relay ${giaddr}`, `${giaddr}/24`);
  const socket = await host.bindUdp({ address: giaddr, port: 67 });
  const heard: Reply[] = [];
  socket.onDatagram(({ data }) => heard.push(readReply(data)));
  return {
    host,
    heard,
    ask: async (type, client, options = []) => {
      const before = heard.length;
      const data = message(type, { ...client, giaddr: ip(giaddr), hops: 1, secs: 4 }, [...options, ...extra]);
      await socket.send(data, { address: SERVER, port: 67 });
      await lab.clock.advance(0);
      return heard[before];
    },
  };
}

/** DISCOVER, then REQUEST of what was offered: the ACK. */
export async function lease(
  via: Awaited<ReturnType<typeof relay>>,
  client: { mac: string; kind: ClientKind },
): Promise<Reply> {
  const offer = await via.ask(MessageType.DISCOVER, client);
  if (offer === undefined) throw new Error('no offer');
  const ack = await via.ask(MessageType.REQUEST, client, selecting(offer));
  if (ack === undefined) throw new Error('no ack');
  return ack;
}

/** Options 50 and 54 of a REQUEST for an offer. */
export function selecting(offer: Reply): DhcpOption[] {
  return [
    { code: 50, data: bytesOfIpv4(offer.packet.yiaddr) },
    { code: 54, data: offer.options.get(54) ?? new Uint8Array() },
  ];
}

export function addressOption(code: number, address: Ipv4): DhcpOption {
  return { code, data: bytesOfIpv4(address) };
}
