import type { BootDecision } from '../decide/decision.ts';

/** The same decision with the URLs of this server as they are reached over IPv6; bases without a slash at the end. */
export function overIpv6(decision: BootDecision, httpUrl: string, httpUrl6: string): BootDecision {
  if (decision.kind !== 'script' && decision.kind !== 'chain-http') return decision;
  const { url } = decision;
  return url.startsWith(`${httpUrl}/`) ? { ...decision, url: httpUrl6 + url.slice(httpUrl.length) } : decision;
}
