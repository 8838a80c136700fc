import { readFile } from 'node:fs/promises';
import { readSecretFile } from '@ingot/daemon';
import type { MachineV1Config } from '../config/machine.ts';
import type { NetworkSettings } from './config-route.ts';
import { giveOnce, type GiveComponents } from './give-once.ts';
import { lokiSettings } from './loki-settings.ts';
import type { Request } from './reply.ts';

export interface CertsRouteComponents extends GiveComponents {
  readonly machine: {
    readonly v1: MachineV1Config;
    readonly partition: string;
    readonly debug: boolean;
    /** Base of this server's URLs. */
    readonly bootUrl: string;
  };
  readonly network: NetworkSettings;
}

/**
 * `/certs?nonce=`: what metal-hammer of metal-stack's v1 API expects behind PIXIE_API_URL, which it asks for as it is
 * written. Secrets are read at each use, and never logged; empty fields are left out, as upstream's JSON has it.
 */
export async function serveCerts(request: Request, components: CertsRouteComponents): Promise<void> {
  await giveOnce(request, components, undefined, async ({ source }) => {
    const { v1, partition, debug, bootUrl } = components.machine;
    const { logging } = v1;
    return {
      debug,
      address: v1.grpcAddress,
      ...(v1.metalApiUrl === undefined ? {} : { metal_api_url: v1.metalApiUrl }),
      pixie_api_url: `${bootUrl}/certs`,
      ca_cert: await readFile(v1.caFile, 'utf8'),
      cert: await readFile(v1.certFile, 'utf8'),
      key: `${await readSecretFile(v1.keyFile)}\n`,
      ...(v1.hmacFile === undefined ? {} : { hmac: await readSecretFile(v1.hmacFile) }),
      ntp_servers: components.network(source).ntpServers,
      partition,
      ...(logging === undefined ? {} : { logging: await lokiSettings(logging) }),
    };
  });
}
