import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { parseIpv4, parseIpv6, type Mac } from '@ingot/wire';
import type { Clock, Entropy } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { addressHolders, type AddressHolders } from './admission/address-holders.ts';
import { createAdmission, type AdmissionGate } from './admission/admission.ts';
import type { BootApi } from './api/boot-api.ts';
import type { BootServerConfig } from './config.ts';
import { createBootDecisions, type BootDecisions } from './decide/boot-decisions.ts';
import type { DebugKeys } from './debug-key/debug-keys.ts';
import type { ScriptSetting } from './decide/boot-steps.ts';
import { peerUrls, withoutSlash } from './decide/peers.ts';
import type { LoaderFetches } from './decide/loader-fetches.ts';
import type { SubjectMemory } from './decide/subject-memory.ts';
import { createLeaseEngine, type LeaseEngine, type LeaseMemory } from './dhcp/lease-engine.ts';
import { planDhcp, serverAddressFor, type DhcpPlan } from './dhcp/plan.ts';
import { createDhcpResponder, type DhcpResponder } from './dhcp/responder.ts';
import { respondWithSubnetUrls, subnetUrls } from './dhcp/subnet-urls.ts';
import { findSubnet } from './dhcp/subnets.ts';
import { createLease6Engine, type Lease6Engine } from './dhcpv6/lease-engine.ts';
import { planDhcp6, type Dhcp6Plan } from './dhcpv6/plan.ts';
import { createDhcp6Responder, type Dhcp6Responder } from './dhcpv6/responder.ts';
import { findSubnet6 } from './dhcpv6/subnets.ts';
import type { NetworkSettings } from './http/config-route.ts';
import { fileUrls, type FileUrls } from './http/file-urls.ts';
import { createSeals, type Seals, type SigningKeys } from './http/seals.ts';
import { planTls, type HttpListen } from './http/listen.ts';
import { configInvalid } from './errors.ts';
import { numberOfIpv4 } from './ipv4.ts';
import type { BootMetrics } from './metrics.ts';
import { publishedContent, type PublishedContent } from './published/published-content.ts';
import { publishedFiles, type PublishedFiles } from './published/published-files.ts';
import type { BootStore } from './store/boots.ts';
import type { LeaseStore } from './store/leases.ts';
import type { Lease6Store } from './store/leases6.ts';
import { nonceStore, type NonceStore } from './store/nonces.ts';
import type { SightingStore } from './store/sightings.ts';

/**
 * All that the configuration decides and no socket holds. A reload makes a new one and leaves the sockets alone; a
 * simulation makes one over stores in memory: it is told what a machine would be told, by the same code.
 */
export interface Policy {
  readonly config: BootServerConfig;
  readonly plan: DhcpPlan;
  readonly plan6: Dhcp6Plan | undefined;
  /** Bases of the URLs that machines are given, without a slash at the end: this server's, then those of its peers. */
  readonly bases: ScriptSetting['bases'];
  /** The same for machines that boot over IPv6; undefined without DHCPv6. */
  readonly bases6: ScriptSetting['bases'] | undefined;
  /** Those that a client at this address reaches, which is empty text where it is not known. */
  readonly basesOf: (source: string) => ScriptSetting['bases'];
  /** Of the other boot servers, one URL of each. */
  readonly peers: readonly string[];
  readonly leases: LeaseEngine;
  readonly leases6: Lease6Engine | undefined;
  readonly holders: AddressHolders;
  readonly gate: AdmissionGate;
  /** What URLs and nonces are signed with. */
  readonly seals: Seals;
  readonly files: FileUrls;
  readonly nonces: NonceStore;
  /** By DUID: machines that another server leases an IPv6 address to. */
  readonly advertised6: Map<string, Mac>;
  readonly respond: DhcpResponder;
  /** Undefined without DHCPv6. */
  readonly respond6: Dhcp6Responder | undefined;
  readonly decisions: BootDecisions;
  /** Names of the iPXE binaries. */
  readonly binaries: readonly string[];
  /** Files that TFTP and HTTP have by name. */
  readonly bootLoaders: PublishedFiles;
  /** Those, and the texts that are made for each machine. */
  readonly published: PublishedContent;
  /** Folders out of which files are served. */
  readonly roots: readonly string[];
  readonly network: NetworkSettings;
}

export interface PolicyStores {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly database: DatabaseSync;
  readonly leaseRows: LeaseStore;
  /** What the first engine of leases shall know beyond the store. */
  readonly leaseMemory?: LeaseMemory;
  readonly lease6Rows: Lease6Store;
  /** What DHCPv6 clients know this server by. */
  readonly serverDuid: () => Uint8Array;
  /** Whether one more DHCPv6 answer may go to this client. */
  readonly mayAnswer6: (client: string) => boolean;
  readonly lastPlans: BootStore;
  readonly sightings: SightingStore;
  readonly api: BootApi | undefined;
  /** Read again at each reload. */
  readonly signingKeys: (config: BootServerConfig) => Promise<SigningKeys>;
  /** Who was seen where, and who has just loaded an iPXE: both outlive a reload. */
  readonly subjects: SubjectMemory;
  readonly fetches: LoaderFetches;
  readonly debugKeys: Pick<DebugKeys, 'issue'>;
  readonly httpListen: readonly [HttpListen, ...HttpListen[]];
  /** Whether an interface of this host has an address. */
  readonly isAt: (name: string, address: string) => boolean;
  /** Undefined: nothing is counted. */
  readonly metrics?: BootMetrics;
}

/** `before`: the policy that it takes the place of. Rejects with BootServerError CONFIG_INVALID. */
export async function createPolicy(stores: PolicyStores, config: BootServerConfig, before?: Policy): Promise<Policy> {
  const { clock, entropy, database, sightings, httpListen } = stores;
  const plan = planDhcp(config);
  const plan6 = config.dhcp6 === undefined ? undefined : planDhcp6(config.dhcp6, httpListen);
  const httpUrl = withoutSlash(config.http.url ?? `http://${config.advertiseAddress}:${httpListen[0].port}`);
  // An engine goes on where its networks stay as they are; else the next one is told what it has offered and not yet leased.
  const isSame = (of: (each: BootServerConfig) => unknown): boolean =>
    before !== undefined && JSON.stringify(of(before.config)) === JSON.stringify(of(config));
  const leases =
    before !== undefined && isSame((each) => each.dhcp)
      ? before.leases
      : createLeaseEngine({
          clock,
          store: stores.leaseRows,
          subnets: plan.subnets,
          memory: before?.leases.memory() ?? stores.leaseMemory,
        });
  const leases6 = isSame((each) => each.dhcp6)
    ? before?.leases6
    : plan6 && createLease6Engine({ clock, store: stores.lease6Rows, subnets: plan6.subnets });
  const holders = addressHolders(leases, leases6);
  const gate = createAdmission({ clock, sightings, holders, seenWithinMs: config.boot.seenWithinMinutes * 60_000 });
  const peers = peerUrls(config.boot.peers);
  checkTogether(config, peers.announce);
  const seals = createSeals({ clock, entropy }, await stores.signingKeys(config));
  const files = fileUrls(seals, config.http.signing.urlMinutes * 60_000);
  const nonces = nonceStore(database, { clock, entropy, seals, lifetimeMs: config.boot.nonceMinutes * 60_000 });
  const binaries = Object.values(config.ipxe.files).filter((file) => file !== undefined);
  const httpsUrl = config.http.tls?.scripts === true ? planTls(config)?.url : undefined;
  const decision = { httpUrl, httpsUrl, binaries: config.ipxe.files };
  const bases: ScriptSetting['bases'] = [httpUrl, ...peers.ipv4];
  const bases6: ScriptSetting['bases'] | undefined = plan6 && [plan6.httpUrl, ...peers.ipv6];
  // Who names a URL means it for all.
  const urls = config.http.url === undefined ? subnetUrls(plan, httpListen, stores.isAt) : new Map<string, string>();
  const basesOf = (source: string): ScriptSetting['bases'] => {
    if (source.includes(':')) return bases6 ?? bases;
    const address = numberOfIpv4(source);
    const subnet = urls.size === 0 || address === undefined ? undefined : findSubnet(plan.subnets, address);
    const url = subnet && urls.get(subnet.id);
    return url === undefined ? bases : [url, ...peers.ipv4];
  };
  const { directory, loaders, sha256 } = config.ipxe;
  // Debian's iPXE package links from its folder into /boot: what the operator names there is meant to be served.
  const roots = unique([
    directory,
    ...Object.values(loaders).map((path) => dirname(path)),
    ...config.artifacts.roots,
    ...(config.tftp.root === undefined ? [] : [config.tftp.root]),
  ]);
  const decisions = await createBootDecisions({ ...stores, config, gate, nonces, files, decision, roots });
  const advertised6 = before?.advertised6 ?? new Map<string, Mac>();
  const bootLoaders = publishedFiles({ directory, binaries, root: config.tftp.root, loaders, sha256 });
  return {
    config,
    plan,
    plan6,
    bases,
    bases6,
    basesOf,
    peers: peers.announce,
    leases,
    leases6,
    holders,
    gate,
    seals,
    files,
    nonces,
    advertised6,
    respond: respondWithSubnetUrls(createDhcpResponder({ ...plan, leases, sightings }), httpUrl, urls),
    respond6:
      plan6 &&
      leases6 &&
      createDhcp6Responder({
        plan: plan6,
        serverDuid: stores.serverDuid(),
        leases: leases6,
        sightings,
        mayAnswer: stores.mayAnswer6,
        advertised: advertised6,
      }),
    decisions,
    binaries,
    bootLoaders,
    published: publishedContent({
      log: stores.log,
      metrics: stores.metrics,
      files: bootLoaders,
      fileUrls: files,
      binaries: config.ipxe.files,
      issuer: decisions.issuer,
      fetches: stores.fetches,
      uuidOf: (mac) => sightings.find(mac)?.uuid,
      basesOf,
      tftpServerOf: (source) => {
        const client = parseIpv4(source);
        return client.ok ? serverAddressFor(plan, client.value) : plan.serverAddress;
      },
    }),
    roots,
    network: networkSettings(config, plan, plan6),
  };
}

/** Throws BootServerError CONFIG_INVALID for what each part takes, and not beside the others. */
function checkTogether({ http, machine }: BootServerConfig, peers: readonly string[]): void {
  if (peers.length > 0 && http.signing.keyFile === undefined)
    throw configInvalid(
      'boot.peers: boot servers take over for each other only with the same key: name it in http.signing.keyFile',
    );
  if (http.v1Certs && machine.v1 === undefined)
    throw configInvalid('http.v1Certs: machine.v1 says what to give: write it');
}

function networkSettings({ machine }: BootServerConfig, plan: DhcpPlan, plan6: Dhcp6Plan | undefined): NetworkSettings {
  return (address) => {
    const ipv6 = parseIpv6(address);
    const subnet = ipv6.ok
      ? findSubnet6(plan6?.subnets ?? [], ipv6.value)
      : findSubnet(plan.subnets, numberOfIpv4(address) ?? 0);
    const { ntpServers, dnsServers } = machine;
    return {
      ntpServers: ntpServers.length > 0 ? ntpServers : (subnet?.ntpServers ?? []),
      dnsServers: dnsServers.length > 0 ? dnsServers : (subnet?.dnsServers ?? []),
    };
  };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
