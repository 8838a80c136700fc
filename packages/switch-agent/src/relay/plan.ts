import { hostname as kernelHostname } from 'node:os';
import type { SwitchRelayConfig } from './config.ts';
import type { LinkSettings, RelayPlan } from './link-settings.ts';

/** The settings that a link has when nothing is said of it. */
export function defaultsFor(config: SwitchRelayConfig): Omit<LinkSettings, 'name'> {
  const { servers, serverVrf, sourceInterface, linkSelection, serverIdOverride, vrfSelection } = config;
  const { agentRelayMode, maxHops, downstreamRelays } = config;
  return {
    servers,
    serverVrf,
    sourceInterface,
    linkSelection,
    serverIdOverride,
    vrfSelection,
    agentRelayMode,
    maxHops,
    downstreamRelays,
  };
}

/** The links that the configuration names; undefined when it names none: CONFIG_DB is to say. */
export function staticPlan(config: SwitchRelayConfig): RelayPlan | undefined {
  const defaults = defaultsFor(config);
  const links = new Map<string, LinkSettings>();
  for (const name of config.interfaces) links.set(name, { ...defaults, name });
  for (const { interface: name, ...own } of config.links) {
    const said = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    links.set(name, { ...defaults, ...said, name });
  }
  if (links.size === 0) return undefined;
  return {
    hostname: config.hostname ?? kernelHostname(),
    links: [...links.values()],
    aliases: new Map(Object.entries(config.aliases)),
  };
}
