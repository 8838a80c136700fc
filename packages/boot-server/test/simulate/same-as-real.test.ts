import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessageType, type DhcpOption } from '@ingot/wire';
import { adminClient, type SimulateRequest } from '../../src/admin/client.ts';
import type { BootServerConfig } from '../../src/config.ts';
import type { SubnetConfig } from '../../src/config/dhcp.ts';
import { describeReply } from '../../src/simulate/dhcp-text.ts';
import { askerOf, messageOf, selecting } from '../../src/simulate/questions.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { localClient } from '../support/dhcp-client.ts';
import { ip, readReply, UUID, type Reply } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';

const { DISCOVER, REQUEST, RELEASE, DECLINE } = MessageType;
const MACS = Array.from({ length: 5 }, (_, index) => `52:54:00:00:03:0${index}`);
const mac = fc.constantFrom(...MACS);
/** Two of one network, one with an address of the pool, one on a loopback address, one that nobody knows. */
const RELAYS = ['10.0.1.1', '10.0.1.101', '10.0.2.1', '10.0.2.2', '10.255.0.1', '10.9.9.9'];

/** One of the networks 10.0.0.0/24, of the own link, to 10.0.2.0/24: with so few addresses that they run out. */
function subnetOf(prefix: string): fc.Arbitrary<SubnetConfig> {
  const reservations = fc
    .uniqueArray(fc.record({ mac, last: fc.integer({ min: 98, max: 102 }) }), {
      maxLength: 2,
      comparator: (a, b) => a.mac === b.mac || a.last === b.last,
    })
    .map((list) =>
      list.map(({ mac: of, last }) => ({ mac: of, address: `${prefix}.${last}`, hostName: `host-${last}` })),
    );
  const serving = fc
    .record({
      last: fc.integer({ min: 100, max: 103 }),
      reservations,
      mtu: fc.option(fc.constant(9_000), { nil: undefined }),
    })
    .map(({ last, ...rest }) => subnetConfig(prefix, { pool: `${prefix}.100-${prefix}.${last}`, ...rest }));
  const reserving = reservations
    .filter((list) => list.length > 0)
    .map((list) => subnetConfig(prefix, { mode: 'reservation-only', pool: undefined, reservations: list }));
  const proxy = fc.constant(subnetConfig(prefix, { mode: 'proxy', pool: undefined }));
  return fc.oneof({ weight: 4, arbitrary: serving }, reserving, proxy);
}

const machine: fc.Arbitrary<SimulateRequest> = fc.record({
  mac,
  arch: fc.constantFrom(0, 6, 7, 11, 16, 99),
  uuid: fc.constantFrom(undefined, UUID, '00000000-0000-0000-0000-000000000000'),
  giaddr: fc.constantFrom(undefined, ...RELAYS),
  linkSelection: fc.constantFrom(undefined, undefined, '10.0.1.1', '10.0.2.0', '10.7.7.7'),
  serverIdOverride: fc.constantFrom(undefined, undefined, '10.0.1.1'),
  circuitId: fc.constantFrom(undefined, 'Vlan4000', '0x0001'),
  hostname: fc.constantFrom(undefined, 'db1'),
  vendorClass: fc.constantFrom(undefined, undefined, '', 'PXEClient'),
  userClass: fc.constantFrom(undefined, undefined, 'iPXE', 'pixiecore'),
  phase: fc.constant('dhcp' as const),
});

/** What happened before somebody asks: `offered` only, leased, given back, found in use, or time that went by. */
const event = fc.oneof(
  fc.record({ what: fc.constantFrom('offer', 'lease', 'release', 'decline'), machine }),
  fc.record({ what: fc.constant('wait'), ms: fc.constantFrom(50, 20_000, 700_000) }),
);

interface Rack {
  readonly lab: Lab;
  /** Sends what a simulation of `request` would have been asked, and returns what came back. */
  readonly ask: (
    request: SimulateRequest,
    type: MessageType,
    options?: readonly DhcpOption[],
  ) => Promise<Reply | undefined>;
  /** As by unicast through the routers. */
  readonly release: (message: Uint8Array) => Promise<void>;
}

async function rackOf(subnets: readonly SubnetConfig[]): Promise<Rack> {
  const config = (dir: string): BootServerConfig => {
    const base = testConfig(dir);
    return { ...base, dhcp: { ...base.dhcp, relays: ['10.255.0.0/24'], subnets } };
  };
  const lab = await startLab({ config });
  const local = await localClient(lab, lab.network.host('local', '10.0.0.200/24'));
  const routed = await lab.network.host('routed', '10.0.0.201/24').bindUdp({ address: '10.0.0.201', port: 68 });
  const relays = new Map<string, { send(data: Uint8Array): Promise<Reply | undefined> }>();
  for (const giaddr of RELAYS) {
    const socket = await lab.network.host(`relay ${giaddr}`, `${giaddr}/24`).bindUdp({ address: giaddr, port: 67 });
    const heard: Reply[] = [];
    socket.onDatagram(({ data }) => heard.push(readReply(data)));
    const send = async (data: Uint8Array): Promise<Reply | undefined> => {
      const before = heard.length;
      await socket.send(data, { address: '10.0.0.1', port: 67 });
      await lab.clock.advance(0);
      return heard[before];
    };
    relays.set(giaddr, { send });
  }
  return {
    lab,
    ask: (request, type, options = []) => {
      const via = request.giaddr === undefined ? local : relays.get(request.giaddr);
      return via?.send(messageOf(type, askerOf(request), { options })) ?? Promise.resolve(undefined);
    },
    release: async (message) => {
      await routed.send(message, { address: '10.0.0.1', port: 67 });
      await lab.clock.advance(0);
    },
  };
}

/** The DISCOVER, and the REQUEST of what was offered, as the steps of a simulation show their answers. */
async function reallyTold({ ask }: Rack, request: SimulateRequest): Promise<unknown[]> {
  const told: unknown[] = [];
  const offer = await ask(request, DISCOVER);
  told.push(offer && describeReply(offer.packet));
  if (offer === undefined || offer.packet.yiaddr === '0.0.0.0') return told;
  const ack = await ask(request, REQUEST, selectingOf(offer));
  told.push(ack && describeReply(ack.packet));
  return told;
}

function selectingOf(offer: Reply): DhcpOption[] {
  const server = [...(offer.options.get(54) ?? [])].join('.');
  return selecting(offer.packet.yiaddr, ip(server));
}

async function happen(rack: Rack, past: { what: string; machine?: SimulateRequest; ms?: number }): Promise<void> {
  const { what, machine: who, ms = 0 } = past;
  if (who === undefined) return rack.lab.clock.advance(ms);
  const offer = await rack.ask(who, DISCOVER);
  if (offer === undefined || offer.packet.yiaddr === '0.0.0.0' || what === 'offer') return undefined;
  await rack.ask(who, REQUEST, selectingOf(offer));
  const [wanted, server] = selectingOf(offer);
  if (wanted === undefined || server === undefined) return undefined;
  if (what === 'decline') await rack.ask(who, DECLINE, [wanted, server]);
  if (what !== 'release') return undefined;
  const { mac: of } = who;
  const message = messageOf(RELEASE, askerOf({ mac: of, arch: 0, phase: 'dhcp' }), {
    ciaddr: offer.packet.yiaddr,
    options: [server],
  });
  return rack.release(message);
}

it('a simulation tells exactly what the server then tells the machine, whatever is configured and was before', async () => {
  const subnets = fc.tuple(subnetOf('10.0.0'), subnetOf('10.0.1'), subnetOf('10.0.2'));
  const scenario = fc.record({
    subnets,
    past: fc.array(event, { maxLength: 10 }),
    asks: fc.array(machine, { minLength: 1, maxLength: 3 }),
  });
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ subnets: configured, past, asks }) => {
      const rack = await rackOf(configured);
      try {
        for (const each of past) await happen(rack, each);
        const admin = adminClient(join(rack.lab.dataDir, 'admin.sock'));
        for (const request of asks) {
          const { steps } = await admin.simulate(request);
          const simulated = steps.map(({ options, told }) => (told.startsWith('nothing: ') ? undefined : options));
          const real = await reallyTold(rack, request);
          // Beside another server UEFI goes on to port 4011.
          expect(simulated.slice(0, real.length)).toEqual(real);
          answered += real[0] === undefined ? 0 : 1;
        }
      } finally {
        await rack.lab.server.stop();
      }
    }),
    { numRuns: 40, seed: 20_261_121 },
  );
  expect(answered).toBeGreaterThan(20);
}, 60_000);
