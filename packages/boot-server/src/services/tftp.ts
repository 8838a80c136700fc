import type { Clock, Network } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { ArtifactStore } from '../artifacts/store.ts';
import { quirksOf } from '../decide/quirks.ts';
import type { SubjectMemory } from '../decide/subject-memory.ts';
import { listenPlaces } from '../listen/listen-place.ts';
import type { BootMetrics } from '../metrics.ts';
import type { CurrentPolicy } from '../reload/current-policy.ts';
import type { TftpPath } from '../tftp/engine.ts';
import { nodeEngine } from '../tftp/node-engine.ts';
import { ethernetMtu } from '../tftp/path-mtu.ts';
import { startTftpServer, type TftpServer } from '../tftp/server.ts';

export interface TftpServiceComponents {
  readonly policy: CurrentPolicy;
  /** Where it listens, unless the configuration says otherwise; beside these, where DHCPv6 does. */
  readonly bootAddresses: readonly string[];
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  /** Undefined: over `network`, as if all of it were Ethernet. */
  readonly tftpPath?: TftpPath | undefined;
  readonly artifacts: ArtifactStore;
  readonly subjects: Pick<SubjectMemory, 'find'>;
  readonly macOf: (address: string) => string | undefined;
  readonly uuidOf: (mac: string) => string | undefined;
}

/** TFTP as the configuration has it. Rejects with BootServerError LISTEN_FAILED. */
export function startTftpService(components: TftpServiceComponents): Promise<TftpServer> {
  const { policy, bootAddresses, network, clock, tftpPath, subjects } = components;
  const { listen, singlePort } = policy.now.config.tftp;
  return startTftpServer(
    {
      ...components,
      published: policy.published,
      get config() {
        return policy.now.config.tftp;
      },
      ...(tftpPath ?? { engine: nodeEngine({ network, clock, singlePort }), pathMtu: ethernetMtu }),
      quirksOf: (mac) => quirksOf({ mac, architectures: subjects.find(mac)?.architectures ?? [] }),
    },
    listenPlaces([...(listen ?? bootAddresses), ...(policy.now.plan6?.listen ?? [])]),
  );
}
