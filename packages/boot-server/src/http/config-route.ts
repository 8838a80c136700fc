import { readFile } from 'node:fs/promises';
import type { BootApi } from '../api/boot-api.ts';
import { parseUuid } from '../identity.ts';
import { reportPath } from './agent-route.ts';
import { giveOnce, type GiveComponents } from './give-once.ts';
import { sendError, type Request } from './reply.ts';
import type { Seals } from './seals.ts';

/** What every machine is told, apart from its token. */
export interface MachineSettings {
  /** Under which the machines reach the API. */
  readonly apiUrl: string;
  /** PEM file of the API's certificate authority; read at each use, so that a new one needs no restart. */
  readonly apiCaFile: string | undefined;
  readonly partition: string;
  readonly debug: boolean;
  /** Written as it is; null when machines log nowhere but to their console. */
  readonly logging: unknown;
}

/** Name servers of the network that an address is in. */
export type NetworkSettings = (address: string) => {
  readonly ntpServers: readonly string[];
  readonly dnsServers: readonly string[];
};

export interface ConfigRouteComponents extends GiveComponents {
  readonly seals: Seals;
  /** Base of the URLs that whoever asks can reach, without a slash at the end. */
  readonly baseFor: (request: Request) => string;
  readonly api: BootApi;
  readonly machine: MachineSettings;
  readonly network: NetworkSettings;
}

/** `/config/<uuid>?nonce=`: the machine's configuration with its token, once per nonce. */
export async function serveConfig(request: Request, components: ConfigRouteComponents): Promise<void> {
  const { api, machine, network } = components;
  const wanted = parseUuid(request.path.slice('/config/'.length));
  if (wanted === undefined)
    return sendError(request, 400, 'invalid_uuid', 'ask for /config/<machine uuid>?nonce=<nonce of this boot>');
  await giveOnce(request, components, wanted, async ({ mac, uuid, source }) => {
    const token = await api.machineToken(uuid);
    const base = components.baseFor(request);
    const caCert = machine.apiCaFile === undefined ? undefined : await readFile(machine.apiCaFile, 'utf8');
    return {
      client: {
        metal_apiserver_url: machine.apiUrl,
        metal_hammer_token: token,
        ...(caCert === undefined ? {} : { ca_cert: caCert }),
      },
      // Upstream's second shape of the same: metal-hammer reads the one or the other.
      metal_apiserver_url: machine.apiUrl,
      metal_apiserver_token_for_hammer: token,
      pixie_api_url: base,
      // Ours alone: upstream's agents ignore it.
      boot_report_url: `${base}${reportPath(components.seals, { mac, uuid })}`,
      ntp_servers: network(source).ntpServers,
      dns_servers: network(source).dnsServers,
      partition: machine.partition,
      logging: machine.logging,
      debug: machine.debug,
    };
  });
}
