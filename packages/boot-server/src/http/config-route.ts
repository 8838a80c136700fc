import { readFile } from 'node:fs/promises';
import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission.ts';
import type { BootApi } from '../api/boot-api.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseUuid } from '../identity.ts';
import type { BootMetrics } from '../metrics.ts';
import type { NonceStore } from '../store/nonces.ts';
import type { Peers } from './peers.ts';
import { sendError, sendJson, type Request } from './reply.ts';

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

export interface ConfigRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly gate: AdmissionGate;
  readonly nonces: NonceStore;
  readonly peers: Peers;
  readonly api: BootApi;
  readonly machine: MachineSettings;
  readonly network: NetworkSettings;
  /** Nonces that are being used at this moment. */
  readonly inUse: Set<string>;
}

const RETRY_AFTER = { 'retry-after': '5' };

/**
 * `/config/<uuid>?nonce=`: the machine's configuration with its token, once per nonce. The nonce is used up only when
 * the answer is ready and the machine still there to take it; from then on it opens nothing.
 */
export async function serveConfig(request: Request, components: ConfigRouteComponents): Promise<void> {
  const { log, metrics, gate, nonces, peers, api, machine, network, inUse } = components;
  const uuid = parseUuid(request.path.slice('/config/'.length));
  const nonce = request.query.get('nonce') ?? '';
  const refuse = (reason: string, mac?: string): void => {
    metrics.drop('http', reason);
    metrics.stage('config.refused');
    log.warn({ event: 'config.refused', reason, uuid, mac }, 'refused a machine configuration');
    sendError(
      request,
      403,
      reason.replaceAll('-', '_'),
      'this boot may not read the configuration: boot the machine again to get a new nonce',
    );
  };
  if (uuid === undefined)
    return sendError(request, 400, 'invalid_uuid', 'ask for /config/<machine uuid>?nonce=<nonce of this boot>');
  const check = nonces.check(nonce, uuid);
  if (!check.ok) return refuse(check.reason);
  const { mac } = check;
  if (request.source === undefined) return refuse('wrong-source', mac);
  const admission = gate.admitConfig(mac, uuid, request.source);
  if (!admission.ok) return refuse(admission.reason, mac);

  const later = (reason: string, error: unknown): void => {
    metrics.drop('http', reason);
    log.error(
      { event: 'config.unavailable', reason, uuid, mac, err: error },
      'cannot make a machine configuration now',
    );
    sendError(
      request,
      503,
      reason.replaceAll('-', '_'),
      error instanceof Error ? error.message : String(error),
      RETRY_AFTER,
    );
  };
  if (inUse.has(nonce)) return later('nonce-in-use', new Error('the same nonce is being answered at this moment'));
  inUse.add(nonce);
  try {
    const token = await api.machineToken(uuid);
    const caCert = machine.apiCaFile === undefined ? undefined : await readFile(machine.apiCaFile, 'utf8');
    if (request.response.destroyed) {
      metrics.drop('http', 'aborted');
      log.warn(
        { event: 'http.aborted', uuid, mac, kind: 'config' },
        'the machine left before its configuration was ready; its nonce is still good',
      );
      return;
    }
    if (!nonces.consume(nonce) || !(await peers.announce(nonce))) return refuse('nonce-used', mac);
    metrics.stage('config.given');
    log.info({ event: 'config.given', uuid, mac }, 'gave a machine its configuration');
    sendJson(request, 200, {
      client: {
        metal_apiserver_url: machine.apiUrl,
        metal_hammer_token: token,
        ...(caCert === undefined ? {} : { ca_cert: caCert }),
      },
      ntp_servers: network(request.source).ntpServers,
      dns_servers: network(request.source).dnsServers,
      partition: machine.partition,
      logging: machine.logging,
      debug: machine.debug,
    });
  } catch (error) {
    later(
      error instanceof BootServerError && error.code === BootServerErrorCode.ApiRefused ? 'api-refused' : 'api-away',
      error,
    );
  } finally {
    inUse.delete(nonce);
  }
}
