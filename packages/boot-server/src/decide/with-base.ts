import type { BootDecision } from './decision.ts';

/** The same decision with the URLs of this server as who asks reaches them; bases without a slash at the end. */
export function withBase(decision: BootDecision, httpUrl: string, base: string): BootDecision {
  if (decision.kind !== 'script' && decision.kind !== 'chain-http') return decision;
  const { url } = decision;
  return url.startsWith(`${httpUrl}/`) ? { ...decision, url: base + url.slice(httpUrl.length) } : decision;
}
