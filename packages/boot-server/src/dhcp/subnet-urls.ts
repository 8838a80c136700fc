import type { Ipv4 } from '@ingot/wire';
import type { HttpListen } from '../http/listen.ts';
import { withBase } from '../decide/with-base.ts';
import type { DhcpResponder } from './responder.ts';
import type { Subnet } from './subnets.ts';

/**
 * Bases of URLs without a slash at the end, by network (`10.0.1.0/24`): of those whose machines reach the server under an
 * address of its own, where HTTP listens there. `isAt` tells whether an interface has an address.
 */
export function subnetUrls(
  { subnets, serverAddress }: { readonly subnets: readonly Subnet[]; readonly serverAddress: Ipv4 },
  listen: readonly HttpListen[],
  isAt: (name: string, address: string) => boolean,
): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  for (const { id, serverAddress: own } of subnets) {
    if (own === serverAddress) continue;
    const hears = listen.find(({ address, interface: name }) =>
      name === undefined ? address === own || address === '0.0.0.0' : address === '0.0.0.0' && isAt(name, own),
    );
    if (hears !== undefined) urls.set(id, `http://${own}:${hears.port}`);
  }
  return urls;
}

/** `respond`, but the URLs of this server, which begin with `httpUrl`, are those of the machine's network. */
export function respondWithSubnetUrls(
  respond: DhcpResponder,
  httpUrl: string,
  urls: ReadonlyMap<string, string>,
): DhcpResponder {
  if (urls.size === 0) return respond;
  return (data, source, receivedAt) => {
    const step = respond(data, source, receivedAt);
    if (step.kind !== 'question') return step;
    const url = urls.get(step.question.subnet);
    if (url === undefined) return step;
    return { ...step, answer: (decision) => step.answer(withBase(decision, httpUrl, url)) };
  };
}
