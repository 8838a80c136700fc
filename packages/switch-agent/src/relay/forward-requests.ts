import { BootpOp, DHCP_SERVER_PORT } from '@ingot/wire';
import type { LinkDatagram, Outgoing, UdpSocket } from '@ingot/net';
import type { RelayLink } from './link.ts';
import type { Offers } from './offers.ts';
import type { PortFinder } from './ports.ts';
import { textOfMac, type Reporter } from './reporter.ts';
import { planRequest, type RequestRules } from './request.ts';

export interface RequestForwarderComponents {
  readonly ports: PortFinder;
  readonly offers: Offers;
  readonly reporter: Reporter;
  /** The longest request with option 82, bytes. */
  readonly maxBytes: number;
  /** Whether an address, as a number, is one of this switch. */
  readonly isOwn: (address: number) => boolean;
  readonly socketOf: (link: RelayLink) => UdpSocket | undefined;
}

/** Passes what has come in by a link on to its servers. */
export function createRequestForwarder(
  components: RequestForwarderComponents,
): (link: RelayLink, requests: readonly LinkDatagram[]) => void {
  const { ports, offers, reporter, maxBytes, isOwn, socketOf } = components;
  const rulesOf = ({ settings, addressNumber }: RelayLink): RequestRules => {
    const mayChoose = settings.serverIdOverride && settings.servers.length > 1;
    return {
      maxBytes,
      isOwn,
      chosenServer: (request, data) =>
        mayChoose && request.serverId === addressNumber ? offers.serverOf(data, request) : undefined,
    };
  };
  return (link, requests) => {
    const { name, servers } = link.settings;
    const { bridge } = link.kernel;
    const rules = rulesOf(link);
    const outgoing: Outgoing[] = [];
    for (const { data, source, target, mac } of requests) {
      const arrival = link.targets.get(target.address);
      // On its way to a server, by us as a router.
      if (arrival === undefined) continue;
      // From a server on the clients' own link: it arrives at the servers' socket, too.
      if (data[0] === BootpOp.REPLY && servers.some((server) => server === source.address)) continue;
      const port = bridge === undefined ? undefined : ports.portOf(bridge, mac);
      const plan = planRequest(data, { link, port, isUnicast: arrival === 'unicast' }, rules);
      if (plan.kind === 'refuse') {
        reporter.refused(name, plan.reason, plan.why, () => ({ mac: textOfMac(mac), port }));
        continue;
      }
      reporter.tally.request(name, plan.outline.messageType);
      if (plan.isBare) reporter.tally.withoutAgent(name);
      reporter.trace?.('relay.request', name, plan.outline, { mac: textOfMac(mac), port, servers: plan.servers });
      for (const server of plan.servers)
        outgoing.push({ data: plan.data, target: { address: server, port: DHCP_SERVER_PORT } });
    }
    const notSent = ({ target }: Outgoing, why: string): void =>
      reporter.refused(name, 'not-sent', why, () => ({ server: target.address }));
    const socket = socketOf(link);
    // For a moment, while another one is opened.
    if (socket === undefined) for (const each of outgoing) notSent(each, 'the socket is being opened');
    else if (outgoing.length > 0) socket.sendBatch(outgoing, (failed, error) => notSent(failed, error.message));
  };
}
