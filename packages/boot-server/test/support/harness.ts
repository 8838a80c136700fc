import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createHealth, createMetrics, MemoryLogger, Redactor, type Metrics } from '@ingot/daemon';
import { loadLibc, MockClock, mockEntropy, MockNetwork, type Impairment, type MockHost } from '@ingot/net';
import {
  BootpOp,
  buildDhcp,
  bytesOfMac,
  decodeDhcp,
  encodeDhcp,
  machineUuidOption,
  messageTypeOption,
  parseIpv4,
  parseMac,
  parseMachineUuid,
  readOptions,
  textOption,
  uint16Option,
  type DhcpDraft,
  type DhcpOption,
  type DhcpPacket,
  type Ipv4,
  type Mac,
  type MessageType,
  type OptionMap,
} from '@ingot/wire';
import { startBootServer, type BootServer } from '../../src/boot-server.ts';
import type { BootAnswer, BootApi } from '../../src/api/boot-api.ts';
import type { BootServerConfig } from '../../src/config.ts';
import { agentSchema } from '../../src/config/agent.ts';
import { tftpSchema, type TftpConfig } from '../../src/config/tftp.ts';

export const UUID = '4b37128e-6e72-4a8d-87da-8ad4d775582c';
export const MAC_1 = '52:54:00:00:01:01';
export const MAC_2 = '52:54:00:00:01:02';

export function ip(text: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function mac(text: string): Mac {
  const parsed = parseMac(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boot-server-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An API whose answers a test sets. */
export class FakeApi implements BootApi {
  readonly calls: string[] = [];
  failure: Error | undefined;
  answer: BootAnswer = { kernel: 'file:///none/vmlinuz', initRamDisks: ['file:///none/initrd'], cmdline: 'quiet' };

  dhcp(uuid: string): Promise<void> {
    return this.#call(`dhcp ${uuid}`, undefined);
  }

  boot(bootMac: string): Promise<BootAnswer> {
    return this.#call(`boot ${bootMac}`, this.answer);
  }

  machineToken(uuid: string): Promise<string> {
    return this.#call(`token ${uuid}`, `token-of-${uuid}`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #call<T>(what: string, value: T): Promise<T> {
    this.calls.push(what);
    return this.failure === undefined ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

export const SERVER = '10.0.0.1';

/** As an operator's file would be after loading; `dataDir` and the HTTP port are the test's own. */
export function testConfig(dataDir: string, change: Partial<BootServerConfig> = {}): BootServerConfig {
  return {
    partition: 'lab',
    dataDir,
    advertiseAddress: SERVER,
    dhcp: {
      listen: [SERVER],
      mode: 'server',
      relays: [],
      whenUndecided: 'lastKnown',
      subnets: [subnetConfig('10.0.0'), subnetConfig('10.0.1'), subnetConfig('10.0.2')],
    },
    pxe: {},
    tftp: tftpConfig(),
    http: httpConfig(),
    ipxe: {
      directory: '/usr/lib/ipxe',
      files: { bios: 'undionly.kpxe', efiX64: 'snponly.efi' },
      chainRoms: false,
      loaders: {},
    },
    artifacts: { roots: [], maxBytes: 64_000_000 },
    api: { url: 'https://10.0.0.1:9443', caFile: join(dataDir, 'ca.pem'), tokenFile: join(dataDir, 'token') },
    machine: { ntpServers: [], dnsServers: [], debug: false },
    agent: agentSchema.parse({}),
    sources: {},
    boot: { peers: [], seenWithinMinutes: 30, nonceMinutes: 30 },
    admin: {},
    logLevel: 'debug',
    ...change,
  };
}

export function tftpConfig(change: Partial<TftpConfig> = {}): TftpConfig {
  return tftpSchema.parse(change);
}

export function httpConfig(change: Partial<BootServerConfig['http']> = {}): BootServerConfig['http'] {
  return {
    listen: '127.0.0.1:0',
    url: 'http://10.0.0.1:8080',
    engine: 'auto',
    signing: { urlMinutes: 720 },
    v1Certs: false,
    ...change,
  };
}

export function subnetConfig(
  prefix: string,
  change: Partial<BootServerConfig['dhcp']['subnets'][number]> = {},
): BootServerConfig['dhcp']['subnets'][number] {
  return {
    subnet: `${prefix}.0/24`,
    pool: `${prefix}.100-${prefix}.199`,
    reservations: [],
    routers: [`${prefix}.254`],
    dnsServers: ['10.0.0.53'],
    ntpServers: ['10.0.0.123'],
    leaseSeconds: 600,
    ...change,
  };
}

export interface Lab {
  readonly clock: MockClock;
  readonly network: MockNetwork;
  readonly api: FakeApi;
  readonly log: MemoryLogger;
  readonly metrics: Metrics;
  readonly server: BootServer;
  readonly dataDir: string;
  readonly serverHost: MockHost;
  /** The count of a drop reason so far. */
  drops(service: string, reason: string): Promise<number>;
  get(path: string, options?: RequestInit): Promise<Response>;
}

/** A running boot server on a network in memory; HTTP is on loopback. Stopped when the test ends. */
export async function startLab(
  options: {
    config?: (dataDir: string) => BootServerConfig;
    dataDir?: string;
    impairment?: Impairment;
    withoutApi?: boolean;
  } = {},
): Promise<Lab> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(7), ...options.impairment });
  const dataDir = options.dataDir ?? temporaryFolder();
  const config = (options.config ?? testConfig)(dataDir);
  const api = new FakeApi();
  const log = new MemoryLogger();
  const metrics = createMetrics();
  const serverHost = network.host('server', `${SERVER}/24`, '2001:db8::1', 'fe80::1%rack');
  const stopping = new AbortController();
  const server = await startBootServer({
    config,
    network: serverHost,
    clock,
    entropy: mockEntropy(3),
    log,
    metrics,
    health: createHealth({ clock }),
    redactor: new Redactor(),
    api: options.withoutApi === true ? undefined : api,
    libc: await loadLibc(),
    signal: stopping.signal,
    reload: () => Promise.resolve({ ok: false, reason: 'the test reloads the server itself' }),
  });
  onTestFinished(async () => {
    stopping.abort();
    await server.stop();
  });
  return {
    clock,
    network,
    api,
    log,
    metrics,
    server,
    dataDir,
    serverHost,
    drops: async (service, reason) => {
      const match = new RegExp(`drops_total\\{service="${service}",reason="${reason}"\\} (\\d+)`).exec(
        await metrics.text(),
      );
      return Number(match?.[1] ?? 0);
    },
    get: (path, init) => fetch(`http://127.0.0.1:${server.httpPort}${path}`, init),
  };
}

/** What a kind of client puts into its requests, as seen on the wire. */
export interface ClientKind {
  readonly options: readonly DhcpOption[];
  readonly flags: number;
}

const uuidOption = ((): DhcpOption => {
  const parsed = parseMachineUuid(UUID);
  if (!parsed.ok) throw new Error(parsed.reason);
  return machineUuidOption(parsed.value);
})();

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Option 175 of Debian's iPXE of 2019: `b105` bus id, `eb03` version, then features with 1 each. */
const IPXE_BIOS = hex('b105 01 1af4 1000 eb03 010000 17 01 01 22 01 01 13 01 01 11 01 01 15 01 01 18 01 01 1b 01 01');
const IPXE_EFI = hex('b105 01 1af4 1000 eb03 010000 17 01 01 24 01 01 13 01 01 11 01 01 15 01 01 27 01 01');

export type ClientName = 'biosRom' | 'biosIpxe' | 'edk2' | 'edk2Http' | 'efiIpxe' | 'udhcpc';

export const CLIENTS: Readonly<Record<ClientName, ClientKind>> = {
  biosRom: { flags: 0, options: [textOption(60, 'PXEClient:Arch:00000:UNDI:002001'), uint16Option(93, 0), uuidOption] },
  biosIpxe: {
    flags: 0,
    options: [
      textOption(60, 'PXEClient:Arch:00000:UNDI:002001'),
      uint16Option(93, 0),
      uuidOption,
      textOption(77, 'iPXE'),
      { code: 175, data: IPXE_BIOS },
    ],
  },
  edk2: {
    flags: 0x8000,
    options: [
      textOption(60, 'PXEClient:Arch:00007:UNDI:003000'),
      uint16Option(93, 7),
      uuidOption,
      uint16Option(57, 0xff00),
    ],
  },
  edk2Http: {
    flags: 0x8000,
    options: [textOption(60, 'HTTPClient:Arch:00016:UNDI:003000'), uint16Option(93, 16), uuidOption],
  },
  efiIpxe: {
    flags: 0,
    options: [
      textOption(60, 'PXEClient:Arch:00007:UNDI:003010'),
      uint16Option(93, 7),
      uuidOption,
      textOption(77, 'iPXE'),
      { code: 175, data: IPXE_EFI },
    ],
  },
  udhcpc: { flags: 0, options: [textOption(60, 'udhcp 1.35.0')] },
};

/** The bytes of a client's message. */
export function message(
  type: MessageType,
  client: { mac: string; kind: ClientKind; xid?: number } & Partial<Omit<DhcpDraft, 'op' | 'xid' | 'options'>>,
  options: readonly DhcpOption[] = [],
): Uint8Array {
  const { mac: text, kind, xid = 0x1234, ...header } = client;
  const built = buildDhcp({
    op: BootpOp.REQUEST,
    xid,
    flags: kind.flags,
    chaddr: bytesOfMac(mac(text)),
    options: [messageTypeOption(type), ...kind.options, ...options],
    ...header,
  });
  if (!built.ok) throw new Error(built.reason);
  return encodeDhcp(built.value);
}

/** A reply as a client reads it. */
export interface Reply {
  readonly packet: DhcpPacket;
  readonly options: OptionMap;
  readonly bytes: Uint8Array;
}

export function readReply(bytes: Uint8Array): Reply {
  const decoded = decodeDhcp(bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return { packet: decoded.value, options: readOptions(decoded.value), bytes };
}

/** The text of a NUL-filled header field. */
export function fieldText(field: Uint8Array): string {
  return Buffer.from(field).toString('latin1').replace(/\0.*$/s, '');
}
