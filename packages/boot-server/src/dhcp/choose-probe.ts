import { openEcho, type Clock, type Libc, type Network } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { DhcpConfig } from '../config/dhcp.ts';
import type { AddressProbe } from './address-probe.ts';
import { networkProbe } from './network-probe.ts';

/** What this host lets us ask with; undefined where nobody is to be asked. Says so in `dhcp.conflict-detection`. */
export async function chooseAddressProbe(components: {
  readonly config: DhcpConfig;
  readonly libc: Libc | undefined;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<AddressProbe | undefined> {
  const { config, libc, network, clock, log } = components;
  const { conflictDetectionMs: timeoutMs = 0 } = config;
  if (timeoutMs === 0 || config.subnets.every(({ pool }) => pool === undefined)) return undefined;
  const echo = libc && openEcho(libc, process.pid & 0xffff);
  const by = echo === undefined ? 'ARP' : 'ARP and ICMP echo';
  log.info(
    { event: 'dhcp.conflict-detection', by },
    `addresses are looked for by ${by} before they are offered${
      echo === undefined
        ? ', those of relayed networks not at all: that takes net.ipv4.ping_group_range or CAP_NET_RAW'
        : ''
    }`,
  );
  const udp = await network.bindUdp({ address: '0.0.0.0', port: 0 });
  const probe = networkProbe({ clock, echo, udp, timeoutMs });
  return {
    probe: (address) => probe.probe(address),
    stop: () => {
      probe.stop();
      void udp.close();
    },
  };
}
