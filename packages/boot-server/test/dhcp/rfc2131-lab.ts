import { decodeDhcp, MessageType, type DhcpOption } from '@ingot/wire';
import type { SubnetConfig } from '../../src/config/dhcp.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { addressOption, relay, selecting } from '../support/dhcp-client.ts';
import { CLIENTS, ip, MAC_1, MAC_2, message, type Reply } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';

const { DISCOVER, REQUEST, ACK } = MessageType;

/** A client that is no boot loader. */
export interface OsClient {
  readonly mac: string;
  readonly kind: typeof CLIENTS.udhcpc;
}
export const os: OsClient = { mac: MAC_1, kind: CLIENTS.udhcpc };
export const other: OsClient = { mac: MAC_2, kind: CLIENTS.udhcpc };
export const XID = 0x1234;

export type Change = Partial<SubnetConfig>;
/** `local`: 10.0.0.0/24, on the server's own link. `remote`: 10.0.1.0/24, behind a relay. */
export function labWith(remote: Change = {}, local: Change = {}): Promise<Lab> {
  return startLab({
    config: (dir) => {
      const base = testConfig(dir);
      return {
        ...base,
        dhcp: { ...base.dhcp, subnets: [subnetConfig('10.0.0', local), subnetConfig('10.0.1', remote)] },
      };
    },
  });
}

export type Via = Awaited<ReturnType<typeof relay>>;
export async function remoteLab(change: Change = {}): Promise<{ lab: Lab; via: Via }> {
  const lab = await labWith(change);
  return { lab, via: await relay(lab, '10.0.1.1') };
}

export const typeOf = (reply: Reply | undefined): number | undefined => reply?.options.get(53)?.[0];
export const wanted = (address: string): DhcpOption => addressOption(50, ip(address));
export const server = (address: string): DhcpOption => addressOption(54, ip(address));
export const codes = (reply: Reply | undefined): number[] => [...(reply?.options.keys() ?? [])];

export async function bound(via: Via, client: OsClient = os): Promise<Reply> {
  const offer = await via.ask(DISCOVER, client);
  const ack = offer && (await via.ask(REQUEST, client, selecting(offer)));
  if (ack === undefined || typeOf(ack) !== ACK) throw new Error('no lease');
  return ack;
}

/** Sends from the client's own address to the server's, as one that renews does. */
export async function unicast(
  lab: Lab,
  from: string,
  type: MessageType,
  options: readonly DhcpOption[] = [],
  client: OsClient = os,
): Promise<Reply | undefined> {
  const host = lab.network.host(`client ${from}`, `${from}/24`);
  const socket = await host.bindUdp({ address: from, port: 68 });
  let heard: Reply | undefined;
  socket.onDatagram(({ data }) => {
    const decoded = decodeDhcp(data);
    if (decoded.ok)
      heard = {
        packet: decoded.value,
        options: new Map(decoded.value.options.map((o) => [o.code, o.data])),
        bytes: data,
      };
  });
  await socket.send(message(type, { ...client, ciaddr: ip(from) }, options), { address: '10.0.0.1', port: 67 });
  await lab.clock.advance(0);
  await socket.close();
  return heard;
}
