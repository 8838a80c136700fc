import { readFile } from 'node:fs/promises';
import { readSecretFile } from '@ingot/daemon';
import type { MachineV1Config } from '../config/machine.ts';
import type { NetworkSettings } from './config-route.ts';
import { giveBySource, type GiveBySourceComponents } from './give-by-source.ts';
import { giveOnce, type Receiver } from './give-once.ts';
import { lokiSettings } from './loki-settings.ts';
import type { Request } from './request.ts';

export interface CertsRouteComponents extends GiveBySourceComponents {
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
 * `/certs?nonce=`, or where that is configured `/certs`: what metal-hammer of metal-stack's v1 API expects behind PIXIE_API_URL, which it asks for as it is
 * written. Secrets are read at each use, and never logged; empty fields are left out, as upstream's JSON has it.
 */
export async function serveCerts(request: Request, components: CertsRouteComponents): Promise<void> {
  const { v1, partition, debug, bootUrl } = components.machine;
  const make = async ({ source }: Receiver): Promise<Readonly<Record<string, unknown>>> => {
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
  };
  if (v1.withoutNonce && !request.query.has('nonce')) await giveBySource(request, components, make);
  else await giveOnce(request, components, undefined, make);
}
