import { isIP } from 'node:net';
import type { Reporter } from './reporter.ts';
import type { State } from './state.ts';

/** What a resolver reads of resolv.conf(5). */
const maxServers = 3;

/** Asks these name servers before those of DHCP leases. One that is no IP address is left out, which is said. */
export function useNameServers(
  servers: readonly string[],
  { state, reporter }: { readonly state: Pick<State, 'keepNameServers'>; readonly reporter: Reporter },
): void {
  for (const server of servers)
    if (isIP(server) === 0) reporter.say('config', `the name server ${server} is no IP address: left out`);
  const addresses = servers.filter((server) => isIP(server) !== 0).slice(0, maxServers);
  if (addresses.length > 0) state.keepNameServers(addresses);
}
