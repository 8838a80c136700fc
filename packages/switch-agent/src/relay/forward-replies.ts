import { ipv4ToNumber, parseIpv4 } from '@ingot/wire';
import type { Datagram, LinkOutgoing } from '@ingot/net';
import type { ClientLink } from './client-link.ts';
import type { RelayLink } from './link.ts';
import type { Offers } from './offers.ts';
import { planReply } from './reply.ts';
import { textOfMac, type Reporter } from './reporter.ts';

/** A link that is served. */
export interface Served {
  link: RelayLink;
  readonly client: ClientLink;
}

/** Passes what has come from servers on to its clients; `candidates` are the links that it can be for. */
export function createReplyForwarder(components: {
  readonly offers: Offers;
  readonly reporter: Reporter;
}): (candidates: readonly Served[], datagrams: readonly Datagram[]) => void {
  const { offers, reporter } = components;
  let lastServer: { readonly text: string; readonly parsed: ReturnType<typeof parseIpv4> } | undefined;
  return (candidates, datagrams) => {
    const links = candidates.map(({ link }) => link);
    const byLink = new Map<RelayLink, LinkOutgoing[]>(links.map((link) => [link, []]));
    for (const { data, source } of datagrams) {
      // Answers come from one server for ever, or from two.
      if (source.address !== lastServer?.text) lastServer = { text: source.address, parsed: parseIpv4(source.address) };
      const server = lastServer.parsed;
      if (!server.ok) continue;
      const plan = planReply(data, ipv4ToNumber(server.value), links);
      if (plan.kind === 'ignore') continue;
      if (plan.kind === 'refuse') {
        const name = links.length === 1 ? (links[0]?.settings.name ?? '') : '';
        reporter.refused(name, plan.reason, plan.why, () => ({ server: source.address }));
        continue;
      }
      const { link, outline, reply } = plan;
      const { name, serverIdOverride, servers } = link.settings;
      reporter.tally.reply(name, outline.messageType);
      reporter.trace?.('relay.reply', name, outline, {
        server: source.address,
        mac: textOfMac(reply.mac),
        to: reply.target.address,
      });
      if (serverIdOverride && servers.length > 1) offers.remember(data, outline, server.value);
      byLink.get(link)?.push(reply);
    }
    for (const { link, client } of candidates) {
      const replies = byLink.get(link) ?? [];
      if (replies.length === 0) continue;
      for (const { mac } of client.send(link.address, replies))
        reporter.refused(link.settings.name, 'reply-not-sent', 'the kernel does not take the answer', () => ({
          mac: textOfMac(mac),
        }));
    }
  };
}
