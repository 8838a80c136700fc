import { followingNetwork, interfaceWatch, loadLibc, nodeNetwork, type Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootServerComponents } from './boot-server.ts';
import type { BootServerConfig } from './config.ts';
import { chooseCapture } from './dhcp/capture.ts';
import { chooseAddressProbe } from './dhcp/choose-probe.ts';
import { chooseFrames } from './dhcp/client-link.ts';
import { findNeighbours } from './dhcp/neighbours.ts';

/** What of this host a boot server works with, opened while the process may. */
export interface Host extends Required<
  Pick<BootServerComponents, 'network' | 'interfaces' | 'neighbours' | 'addressProbe' | 'capture' | 'frames' | 'libc'>
> {
  readonly close: () => void;
}

/** Rejects with BootServerError LISTEN_FAILED. */
export async function openHost(config: BootServerConfig, components: { clock: Clock; log: Logger }): Promise<Host> {
  const { clock, log } = components;
  const libc = await loadLibc();
  const interfaces = interfaceWatch({
    clock,
    onChange: (name, change, error) => {
      const fields = { interface: name, err: error };
      if (change === 'gone')
        log.warn(
          { event: 'interface.gone', ...fields },
          `interface ${name} is gone: nothing is heard until it is back`,
        );
      else if (change === 'anew')
        log.warn({ event: 'interface.anew', ...fields }, `interface ${name} was made anew: listening there again`);
      else
        log.error(
          { event: 'interface.failed', ...fields },
          `cannot listen at interface ${name} yet: ${error?.message ?? ''}; trying again`,
        );
    },
  });
  const network = followingNetwork(nodeNetwork(), interfaces);
  // Another user may not see whose sockets they are.
  const neighbours = findNeighbours();
  // An echo socket, too, may be root's alone.
  const addressProbe = await chooseAddressProbe({ config: config.dhcp, libc, network, clock, log });
  const frames = chooseFrames({ config: config.dhcp, libc, log });
  const capture = chooseCapture(config.dhcp, libc, interfaces);
  return {
    libc,
    network,
    interfaces,
    neighbours,
    addressProbe,
    frames,
    capture,
    close: () => {
      addressProbe?.stop();
      frames?.close();
      capture?.close();
    },
  };
}
