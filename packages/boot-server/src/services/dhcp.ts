import type { Clock, Entropy, FrameSocket, Network } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { ipv4ToNumber } from '@ingot/wire';
import type { BootEvents } from '../api/boot-events.ts';
import type { AddressProbe } from '../dhcp/address-probe.ts';
import type { CaptureSockets } from '../dhcp/capture.ts';
import { createDhcpEngine } from '../dhcp/engine.ts';
import type { Neighbour } from '../dhcp/neighbours.ts';
import { startDhcpServer } from '../dhcp/server.ts';
import { findSubnet } from '../dhcp/subnets.ts';
import { startDhcp6Server } from '../dhcpv6/server.ts';
import type { BootDecision } from '../decide/decision.ts';
import { withBase } from '../decide/with-base.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import type { Policy } from '../policy.ts';
import type { CurrentPolicy } from '../reload/current-policy.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { SightingStore } from '../store/sightings.ts';

export interface DhcpServiceComponents {
  readonly policy: CurrentPolicy;
  readonly network: Network;
  readonly neighbours: readonly Neighbour[];
  readonly addressProbe: AddressProbe | undefined;
  readonly capture: CaptureSockets | undefined;
  readonly frames: FrameSocket | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly commits: GroupCommit;
  readonly sightings: SightingStore;
  /** Undefined: no API hears who asks for a boot. */
  readonly events: BootEvents | undefined;
}

/** DHCP and DHCPv6, whose sockets follow the plan. */
export interface DhcpService {
  /**
   * Opens the sockets that the policy of now needs and `before` did not. Rejects with BootServerError LISTEN_FAILED and
   * no socket open: then call it again with the policy that had them.
   */
  follow(before: Policy): Promise<void>;
  stop(): Promise<void>;
}

/** Rejects with BootServerError LISTEN_FAILED. */
export async function startDhcpService(components: DhcpServiceComponents): Promise<DhcpService> {
  const { policy } = components;
  let server = await startIpv4(components);
  let server6: UdpServer | undefined;
  try {
    server6 = await startIpv6(components);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    follow: async (before) => {
      const isSame = (of: (each: Policy) => unknown): boolean =>
        JSON.stringify(of(before)) === JSON.stringify(of(policy.now));
      // Which of the own links is served without a relay, and beside whom, is the sockets' own business.
      if (!isSame(({ plan }) => plan.listen)) {
        await server.stop();
        server = await startIpv4(components);
      }
      if (!isSame(({ plan6 }) => plan6 && [plan6.listen, plan6.interfaces, plan6.isBeside])) {
        await server6?.stop();
        server6 = undefined;
        server6 = await startIpv6(components);
      }
    },
    stop: async () => {
      await server6?.stop();
      await server.stop();
    },
  };
}

function startIpv4(components: DhcpServiceComponents): Promise<UdpServer> {
  const { policy, clock, log, metrics, commits, sightings, events } = components;
  return startDhcpServer(
    {
      ...components,
      isServed: (address) => findSubnet(policy.now.plan.subnets, ipv4ToNumber(address)) !== undefined,
      engine: createDhcpEngine({
        clock,
        log,
        metrics,
        decide: policy.decide,
        commits,
        sightings,
        probe: components.addressProbe,
        respond: policy.respond,
        whenUndecided: policy.now.config.dhcp.whenUndecided,
        onBootRequest: (mac, uuid) => events?.report(mac, uuid),
      }),
    },
    policy.now.plan.listen,
  );
}

async function startIpv6(components: DhcpServiceComponents): Promise<UdpServer | undefined> {
  const { policy, events } = components;
  const { plan6 } = policy.now;
  if (plan6 === undefined) return undefined;
  return startDhcp6Server(
    {
      ...components,
      respond: policy.respond6,
      decide: (request) => {
        const over = (made: BootDecision): BootDecision =>
          withBase(made, policy.now.bases[0], policy.now.plan6?.httpUrl ?? plan6.httpUrl);
        const decided = policy.decide(request);
        return decided instanceof Promise ? decided.then(over) : over(decided);
      },
      onBootRequest: (mac, uuid) => events?.report(mac, uuid),
    },
    plan6,
  );
}
