import { statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { BootServerConfig } from '../config.ts';
import { networkContains, numberOfIpv4, parseNetwork } from '../ipv4.ts';

/** What of this host settings are compared with. */
export interface HostView {
  readonly ownAddresses: ReadonlySet<string>;
  readonly isFolder: (path: string) => boolean;
}

/** Settings that may be meant as they are, and rarely are: in words, each with the setting's name. */
export function doubtsOf(config: BootServerConfig, host: HostView = thisHost()): string[] {
  const { dhcp, artifacts, tftp } = config;
  const doubts: string[] = [];
  const doubtAddress = (address: string | undefined, setting: string): void => {
    if (address !== undefined && !host.ownAddresses.has(address))
      doubts.push(
        `${setting}: no interface of this host has ${address}: machines load from there, so something has to lead it here`,
      );
  };
  const doubtFolder = (path: string | undefined, setting: string, what: string): void => {
    if (path !== undefined && !host.isFolder(path)) doubts.push(`${setting}: there is no folder ${path}: ${what}`);
  };
  doubtAddress(config.advertiseAddress, 'advertiseAddress');
  for (const [index, { subnet, routers, advertiseAddress }] of dhcp.subnets.entries()) {
    const where = `dhcp.subnets[${index}]`;
    doubtAddress(advertiseAddress, `${where}.advertiseAddress`);
    const network = parseNetwork(subnet);
    for (const router of routers) {
      const value = numberOfIpv4(router);
      if (network !== undefined && value !== undefined && !networkContains(network, value))
        doubts.push(`${where}.routers: ${router} is not in ${subnet}: most machines will not use it`);
    }
  }
  for (const root of artifacts.roots) doubtFolder(root, 'artifacts.roots', 'nothing is served from it');
  doubtFolder(tftp.root, 'tftp.root', 'nothing is published from it');
  return doubts;
}

function thisHost(): HostView {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  return {
    ownAddresses: new Set(own),
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  };
}
