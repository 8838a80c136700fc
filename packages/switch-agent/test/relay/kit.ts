import { createMetrics, MemoryLogger, type Metrics } from '@ingot/daemon';
import {
  MockClock,
  MockNetwork,
  type Datagram,
  type LinkDatagram,
  type LinkOutgoing,
  type MockHost,
  type UdpSocket,
} from '@ingot/net';
import {
  buildDhcp,
  decodeDhcp,
  encodeDhcp,
  messageTypeOption,
  parseIpv4,
  readMessageType,
  readOptions,
  readRelayAgent,
  latin1,
  type DhcpDraft,
  type DhcpOption,
  type DhcpPacket,
  type Ipv4,
  type MessageType,
} from '@ingot/wire';
import type { ClientLink, ClientLinkHandlers } from '../../src/relay/client-link.ts';
import type { KernelInterface } from '../../src/relay/kernel-interfaces.ts';
import type { LinkSettings, RelayPlan } from '../../src/relay/link-settings.ts';
import { createRelay, type Relay } from '../../src/relay/relay.ts';
import { createTally } from '../../src/relay/tally.ts';

export const MAC: Uint8Array = Uint8Array.of(0x52, 0x54, 0, 0, 1, 1);
export const OTHER_MAC: Uint8Array = Uint8Array.of(0x52, 0x54, 0, 0, 1, 2);

export function ip(text: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

export function linkSettings(more: Partial<LinkSettings> = {}): LinkSettings {
  return {
    name: 'Vlan4000',
    servers: [ip('10.0.0.1')],
    serverVrf: undefined,
    sourceInterface: undefined,
    linkSelection: false,
    serverIdOverride: false,
    vrfSelection: false,
    agentRelayMode: 'discard',
    maxHops: 4,
    downstreamRelays: false,
    ...more,
  };
}

/** A request as a client makes it. */
export function dhcp(type: MessageType | undefined, draft: Partial<DhcpDraft> = {}): Uint8Array {
  const { options = [], ...more } = draft;
  const own: DhcpOption[] = type === undefined ? [] : [messageTypeOption(type)];
  const built = buildDhcp(
    { op: 1, xid: 0x0102_0304, chaddr: MAC, ...more, options: [...own, ...options] },
    { maxBytes: 9000 },
  );
  if (!built.ok) throw new Error(built.reason);
  return encodeDhcp(built.value);
}

/** What a packet says, as far as relaying has to do with it. */
export interface Said {
  readonly packet: DhcpPacket;
  readonly type: number | undefined;
  readonly circuitId: string | undefined;
  readonly remoteId: string | undefined;
  readonly linkSelection: string | undefined;
  readonly serverIdOverride: string | undefined;
  readonly receivedUnicast: boolean | undefined;
  /** Codes of the sub-options of option 82. */
  readonly subOptions: readonly number[];
  /** Codes of the options, in order. */
  readonly codes: readonly number[];
}

export function read(data: Uint8Array): Said {
  const decoded = decodeDhcp(data);
  if (!decoded.ok) throw new Error(decoded.reason);
  const packet = decoded.value;
  const options = readOptions(packet);
  const type = readMessageType(options);
  const agent = readRelayAgent(options);
  const facts = agent?.ok === true ? agent.value : undefined;
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && latin1(bytes);
  return {
    packet,
    type: type?.ok === true ? type.value : undefined,
    circuitId: text(facts?.circuitId),
    remoteId: text(facts?.remoteId),
    linkSelection: facts?.linkSelection,
    serverIdOverride: facts?.serverIdOverride,
    receivedUnicast: facts?.receivedUnicast,
    subOptions: facts?.subOptions.map(({ code }) => code) ?? [],
    codes: packet.options.map(({ code }) => code),
  };
}

/** A link of clients without a kernel. */
export interface FakeLink {
  readonly sent: { readonly from: Ipv4; readonly reply: LinkOutgoing }[];
  readonly isClosed: () => boolean;
  broken(mac: Uint8Array): void;
  request(data: Uint8Array, more?: Partial<LinkDatagram>): void;
}

/** A leaf with Vlan4000 (10.0.1.1), Vlan4001 (10.0.2.1) and Loopback0 (10.255.0.1), and servers 10.0.0.1 and 10.0.0.2. */
export interface RelayBench extends AsyncDisposable {
  readonly relay: Relay;
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  readonly leaf: MockHost;
  /** To be changed before `apply`. */
  readonly interfaces: Map<string, KernelInterface>;
  readonly addresses: { interfaceIndex: number; address: string; prefixLength: number; isSecondary: boolean }[];
  /** Ports by the last byte of the hardware address. */
  readonly ports: Map<number, string>;
  /** What has come to the server 10.0.0.<number>. */
  readonly servers: readonly [Server, Server];
  link(name?: string): FakeLink;
  links: Map<string, FakeLink>;
  apply(...links: readonly LinkSettings[]): Promise<ReadonlyMap<string, string>>;
  metric(name: string): Promise<Readonly<Record<string, number>>>;
  /** Lets everything that is under way arrive. */
  settle(): Promise<void>;
}

export interface Server {
  readonly received: Datagram[];
  readonly socket: UdpSocket;
  reply(data: Uint8Array, target: string): Promise<void>;
}

function kernelInterface(index: number, name: string): KernelInterface {
  const mac = `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`;
  return { index, mac, mtu: 1500, bridge: { index, name, vlan: 0 }, vrf: undefined };
}

export async function createBench(more: { readonly maxBytes?: number } = {}): Promise<RelayBench> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock });
  const leaf = network.host('leaf', '10.0.0.11/24', '10.0.1.1/24', '10.0.2.1/24', '10.255.0.1/32');
  const interfaces = new Map(
    [kernelInterface(10, 'Vlan4000'), kernelInterface(11, 'Vlan4001'), kernelInterface(12, 'Loopback0')].map(
      (each) => [each.bridge?.name ?? '', each] as const,
    ),
  );
  const address = (interfaceIndex: number, text: string, prefixLength: number): RelayBench['addresses'][number] => ({
    interfaceIndex,
    address: text,
    prefixLength,
    isSecondary: false,
  });
  const addresses = [address(10, '10.0.1.1', 24), address(11, '10.0.2.1', 24), address(12, '10.255.0.1', 32)];
  const ports = new Map([
    [1, 'Ethernet0'],
    [2, 'Ethernet4'],
  ]);
  const links = new Map<string, FakeLink>();
  const log = new MemoryLogger();
  const metrics: Metrics = createMetrics();
  const relay = createRelay({
    network: leaf,
    openClientLink: (kernel, handlers) => {
      const { link, client } = fakeLink(handlers);
      links.set(kernel.bridge?.name ?? '', link);
      return client;
    },
    interfaceOf: (name) => interfaces.get(name),
    addresses: () => (addresses.length === 0 ? undefined : [...addresses]),
    ports: { portOf: (_bridge, mac) => ports.get(mac[5] ?? 0) },
    clock,
    log,
    tally: createTally(metrics),
    circuitId: '{hostname}:{alias}',
    remoteId: '{mac}',
    maxBytes: more.maxBytes ?? 1472,
    isTraced: false,
  });
  const server = async (number: number): Promise<Server> => {
    const host = network.host(`server${number}`, `10.0.0.${number}/24`);
    const socket = await host.bindUdp({ address: `10.0.0.${number}`, port: 67 });
    const received: Datagram[] = [];
    socket.onDatagram((datagram) => received.push(datagram));
    return { received, socket, reply: (data, target) => socket.send(data, { address: target, port: 67 }) };
  };
  const servers = [await server(1), await server(2)] as const;
  const plan = (settings: readonly LinkSettings[]): RelayPlan => ({
    hostname: 'leaf1',
    links: settings,
    aliases: new Map([
      ['Ethernet0', 'Eth1/1'],
      ['Ethernet4', 'Eth1/2'],
    ]),
  });
  return {
    relay,
    clock,
    log,
    leaf,
    interfaces,
    addresses,
    ports,
    servers,
    links,
    link: (name = 'Vlan4000') => {
      const link = links.get(name);
      if (link === undefined) throw new Error(`${name} is not served`);
      return link;
    },
    apply: (...settings) => relay.apply(plan(settings)),
    metric: async (name) => {
      await clock.advance(1_000);
      const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
      return Object.fromEntries(
        lines.map((line) => {
          const [, labels = '', value] = /\{(.*)\} (\S+)$/.exec(line) ?? [];
          return [labels.replaceAll(/\w+="([^"]*)"/g, '$1'), Number(value)];
        }),
      );
    },
    settle: () => clock.advance(1),
    [Symbol.asyncDispose]: async () => {
      await relay.stop();
      for (const { socket } of servers) await socket.close();
      if (clock.pendingTimers !== 0) throw new Error('the relay has left a timer behind');
    },
  };
}

function fakeLink({ onRequests, onBroken }: ClientLinkHandlers): { link: FakeLink; client: ClientLink } {
  const sent: FakeLink['sent'] = [];
  let isClosed = false;
  return {
    link: {
      sent,
      isClosed: () => isClosed,
      broken: onBroken,
      request: (data, more) =>
        onRequests([
          {
            data,
            source: { address: '0.0.0.0', port: 68 },
            target: { address: '255.255.255.255', port: 67 },
            mac: MAC,
            ...more,
          },
        ]),
    },
    client: {
      send: (from, replies) => {
        for (const reply of replies) sent.push({ from, reply });
        return [];
      },
      overruns: () => 0,
      close: () => {
        isClosed = true;
      },
    },
  };
}
