import { readFile } from 'node:fs/promises';
import type { BootApi } from '../api/boot-api.ts';
import type { AgentPolicyConfig } from '../config/agent.ts';
import { parseUuid } from '../identity.ts';
import { reportPath } from './agent-route.ts';
import { giveOnce, type GiveComponents, type Receiver } from './give-once.ts';
import { lokiSettings } from './loki-settings.ts';
import { renewalQuery, serveRenewal } from './renewal.ts';
import { sendError } from './reply.ts';
import type { Request } from './request.ts';
import type { Seals } from './seals.ts';

/** What every machine is told, apart from its token. */
export interface MachineSettings {
  /** Under which the machines reach the API. */
  readonly apiUrl: string;
  /** PEM file of the API's certificate authority; read at each use, so that a new one needs no restart. */
  readonly apiCaFile: string | undefined;
  readonly partition: string;
  readonly debug: boolean;
  readonly agent: AgentPolicyConfig;
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
  /** As configured now. */
  readonly machine: () => MachineSettings;
  readonly network: NetworkSettings;
}

/** `/config/<uuid>?nonce=`: the machine's configuration with its token, once per nonce. With `?renewal=`: the next one. */
export async function serveConfig(request: Request, components: ConfigRouteComponents): Promise<void> {
  const wanted = parseUuid(request.path.slice('/config/'.length));
  if (wanted === undefined)
    return sendError(request, 400, 'invalid_uuid', 'ask for /config/<machine uuid>?nonce=<nonce of this boot>');
  const make = (receiver: Receiver): Promise<Readonly<Record<string, unknown>>> =>
    configOf(request, components, receiver);
  if (request.query.has('renewal')) await serveRenewal(request, components, wanted, make);
  else await giveOnce(request, components, wanted, make);
}

async function configOf(
  request: Request,
  { api, machine, network, seals, nonces, baseFor }: ConfigRouteComponents,
  { mac, uuid, source }: Receiver,
): Promise<Readonly<Record<string, unknown>>> {
  const { apiUrl, apiCaFile, partition, debug, agent } = machine();
  const token = await api.machineToken(uuid);
  const base = baseFor(request);
  const caCert = apiCaFile === undefined ? undefined : await readFile(apiCaFile, 'utf8');
  const asked = request.query.get('renewal') ?? request.query.get('nonce') ?? '';
  return {
    client: {
      metal_apiserver_url: apiUrl,
      metal_hammer_token: token,
      ...(caCert === undefined ? {} : { ca_cert: caCert }),
    },
    // Upstream's second shape of the same: metal-hammer reads the one or the other.
    metal_apiserver_url: apiUrl,
    metal_apiserver_token_for_hammer: token,
    pixie_api_url: base,
    // Ours alone: upstream's agents ignore these.
    boot_report_url: `${base}${reportPath(seals, { mac, uuid })}`,
    renewal_url: `${base}/config/${uuid}?${renewalQuery({ seals, nonces }, { mac, uuid }, asked)}`,
    agent: agentFields(agent),
    ntp_servers: network(source).ntpServers,
    dns_servers: network(source).dnsServers,
    partition,
    logging: agent.loki === undefined ? null : await lokiSettings(agent.loki),
    debug,
  };
}

/** The policies as the agent reads them: `parseConfig` of the discovery agent. */
function agentFields(agent: AgentPolicyConfig): Readonly<Record<string, unknown>> {
  const { lldp } = agent;
  return {
    allocated: agent.allocated,
    auto_reboot_hours: agent.autoRebootHours,
    bmc_required: agent.bmcRequired,
    bmc_user: agent.bmcUser,
    bmc_boot_order: agent.bmcBootOrder,
    lldp: {
      timeout_seconds: lldp.timeoutSeconds,
      ...(lldp.mtu === undefined ? {} : { mtu: lldp.mtu }),
      ...(lldp.leafNames === undefined ? {} : { leaf_names: lldp.leafNames }),
    },
    screen: agent.screen,
    ssh_debug: agent.sshDebug,
  };
}
