import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BootServerError, BootServerErrorCode } from '../src/errors.ts';
import type { BootServerConfig } from '../src/config.ts';
import { lease, relay } from './client.ts';
import {
  CLIENTS,
  FakeApi,
  MAC_1,
  MAC_2,
  startLab,
  httpConfig,
  subnetConfig,
  temporaryFolder,
  testConfig,
  UUID,
  type Lab,
} from './harness.ts';

const snponly = readFileSync('/usr/lib/ipxe/snponly.efi');
const AWAY = new BootServerError(BootServerErrorCode.ApiAway, 'connection refused');
const REFUSED = new BootServerError(BootServerErrorCode.ApiRefused, 'no such partition');

/** Leases are loopback addresses, chosen by link selection, so that a real HTTP client can come from them. */
async function machines(
  http: Partial<BootServerConfig['http']> = {},
  peers: readonly string[] = [],
  machine?: BootServerConfig['machine'],
): Promise<{ lab: Lab; files: string; boot: (mac: string) => Promise<string> }> {
  const files = temporaryFolder();
  writeFileSync(join(files, 'vmlinuz'), 'the kernel');
  writeFileSync(join(files, 'initrd'), 'the initrd');
  const lab = await startLab({
    config: (dir) => {
      writeFileSync(join(dir, 'ca.pem'), 'CA');
      return testConfig(dir, {
        dhcp: { ...testConfig(dir).dhcp, relays: ['10.9.0.0/24'], subnets: [subnetConfig('127.0.7')] },
        artifacts: { roots: [files], maxBytes: 1_000_000 },
        http: httpConfig({ url: 'http://boot', ...http }),
        boot: { peers, seenWithinMinutes: 30, nonceMinutes: 30 },
        machine: machine ?? testConfig(dir).machine,
      });
    },
  });
  lab.api.answer = {
    kernel: pathToFileURL(join(files, 'vmlinuz')).href,
    initRamDisks: [pathToFileURL(join(files, 'initrd')).href],
    cmdline: 'quiet',
  };
  const via = await relay(lab, '10.9.0.1', [{ code: 82, data: Uint8Array.of(5, 4, 127, 0, 7, 1) }]);
  return { lab, files, boot: async (mac) => (await lease(via, { mac, kind: CLIENTS.efiIpxe })).packet.yiaddr };
}

/** GET from an address of one's own. */
async function getFrom(
  lab: Lab,
  address: string,
  path: string,
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const request = httpRequest({
    host: '127.0.0.1',
    port: lab.server.httpPort,
    path,
    localAddress: address,
    agent: false,
  });
  request.end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const part of response) body += String(part);
  return { status: response.statusCode, body, headers: response.headers };
}

const scriptPath = (mac: string, uuid = UUID): string => `/_/ipxe?arch=1&mac=${mac}&uuid=${uuid}`;
const configPath = (script: string): string => /PIXIE_API_URL=http:\/\/boot(\S+)/.exec(script)?.[1] ?? 'no url';

describe('files', () => {
  it('come whole, with length, type and ETag', async () => {
    const lab = await startLab();
    const response = await lab.get('/boot/52-54-00-00-01-01/snponly.efi');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(snponly.length));
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), snponly)).toBe(0);
    await lab.clock.settle();
    expect(lab.log.events('http.file')[0]?.fields).toMatchObject({ mac: MAC_1, kind: 'ipxe', bytes: snponly.length });
  });

  it.each([
    ['bytes=0-9', 206, `bytes 0-9/${snponly.length}`, snponly.subarray(0, 10)],
    ['bytes=-5', 206, `bytes ${snponly.length - 5}-${snponly.length - 1}/${snponly.length}`, snponly.subarray(-5)],
    [
      `bytes=${snponly.length - 3}-`,
      206,
      `bytes ${snponly.length - 3}-${snponly.length - 1}/${snponly.length}`,
      snponly.subarray(-3),
    ],
    ['bytes=0-99999999', 206, `bytes 0-${snponly.length - 1}/${snponly.length}`, snponly],
    [`bytes=${snponly.length}-`, 416, `bytes */${snponly.length}`, Buffer.alloc(0)],
    ['bytes=-0', 416, `bytes */${snponly.length}`, Buffer.alloc(0)],
    ['bytes=5-2', 200, null, snponly],
    ['bytes=0-1,4-5', 200, null, snponly],
    ['lines=0-1', 200, null, snponly],
  ])('Range %s gives %d', async (range, status, contentRange, body) => {
    const lab = await startLab();
    const response = await lab.get('/boot/snponly.efi', { headers: { range } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), body)).toBe(0);
  });

  it('are not sent again to who has them, and HEAD sends none', async () => {
    const lab = await startLab();
    const head = await lab.get('/boot/snponly.efi', { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(snponly.length));
    const etag = head.headers.get('etag') ?? '';
    expect((await lab.get('/boot/snponly.efi', { headers: { 'if-none-match': `"x", ${etag}` } })).status).toBe(304);
    expect(
      (await lab.get('/boot/snponly.efi', { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status,
    ).toBe(200);
    expect((await lab.get('/boot/snponly.efi', { headers: { range: 'bytes=0-1', 'if-range': etag } })).status).toBe(
      206,
    );
  });

  it.each(['/boot/../etc/passwd', '/boot/..%2f..%2fetc%2fpasswd', '/boot/nothing', '/boot/', '/nothing', '/%ff'])(
    '%s is refused',
    async (path) => {
      const lab = await startLab();
      expect([400, 404]).toContain((await getFrom(lab, '127.0.0.1', path)).status);
    },
  );

  it('a file that is replaced is served new and whole, while running downloads keep the old one', async () => {
    const { lab, files, boot } = await machines();
    const address = await boot(MAC_1);
    const script = await getFrom(lab, address, scriptPath(MAC_1));
    const kernel = /kernel --name kernel http:\/\/boot(\S+)/.exec(script.body)?.[1] ?? '';
    const before = await getFrom(lab, address, kernel);
    expect(before.body).toBe('the kernel');
    writeFileSync(join(files, 'new'), 'another kernel');
    renameSync(join(files, 'new'), join(files, 'vmlinuz'));
    const after = await getFrom(lab, address, kernel);
    expect(after.body).toBe('another kernel');
    expect(after.headers['etag']).not.toBe(before.headers['etag']);
  });

  it('only files under the configured folders are served, whatever the API says', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    lab.api.answer = { ...lab.api.answer, kernel: 'file:///etc/passwd' };
    const script = await getFrom(lab, address, scriptPath(MAC_1));
    const kernel = /kernel --name kernel http:\/\/boot(\S+)/.exec(script.body)?.[1] ?? '';
    expect((await getFrom(lab, address, kernel)).status).toBe(403);
  });
});

describe('the script', () => {
  it('is for a NIC that asked for a boot a short while ago', async () => {
    const { lab, boot } = await machines();
    expect(await getFrom(lab, '127.0.0.9', scriptPath(MAC_1))).toMatchObject({
      status: 404,
      body: expect.stringContaining('did not ask for a boot'),
    });
    const address = await boot(MAC_1);
    expect((await getFrom(lab, address, scriptPath(MAC_1))).status).toBe(200);
    await lab.clock.advance(31 * 60_000);
    expect((await getFrom(lab, address, scriptPath(MAC_1))).status).toBe(404);
    expect(await lab.drops('http', 'not-seen')).toBe(2);
  });

  it('is for the machine’s own addresses, of either NIC', async () => {
    const { lab, boot } = await machines();
    const [first, second] = [await boot(MAC_1), await boot(MAC_2)];
    expect((await getFrom(lab, second, scriptPath(MAC_1))).status).toBe(200);
    expect((await getFrom(lab, first, scriptPath(MAC_2))).status).toBe(200);
    expect(await getFrom(lab, '127.0.0.9', scriptPath(MAC_1))).toMatchObject({ status: 403 });
    expect(await lab.drops('http', 'wrong-source')).toBe(1);
  });

  it('is not for a machine that claims another UUID than its firmware showed', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    expect((await getFrom(lab, address, scriptPath(MAC_1, '11111111-2222-3333-4444-555555555555'))).status).toBe(403);
    expect((await getFrom(lab, address, scriptPath(MAC_1, '8e12374b-726e-8d4a-87da-8ad4d775582c'))).status).toBe(200);
  });

  it.each(['/_/ipxe', '/_/ipxe?mac=zz', '/_/ipxe?mac=52:54:00:00:01:01&uuid=zz'])(
    '%s is a bad request',
    async (path) => {
      const lab = await startLab();
      expect((await lab.get(path)).status).toBe(400);
    },
  );

  it('has kernel, initrd, console, the nonce and the NIC in it', async () => {
    const { lab, boot } = await machines();
    const script = (await getFrom(lab, await boot(MAC_1), scriptPath(MAC_1))).body;
    expect(script).toMatch(
      new RegExp(
        `\\nboot kernel initrd=initrd0 console=\\$\\{console\\},115200n8 quiet PIXIE_API_URL=http://boot/config/${UUID}\\?nonce=[\\w-]{80,200} BOOTIF=01-52-54-00-00-01-01 \\|\\| goto failed\\n`,
      ),
    );
    expect(lab.log.events('http.script')[0]?.fields).toMatchObject({ mac: MAC_1, uuid: UUID });
    expect(JSON.stringify(lab.log.records)).not.toContain(/nonce=([\w-]+)/.exec(script)?.[1]);
  });

  it('is the last one for this NIC while the API is away, and the partition’s for a new one', async () => {
    const { lab, boot } = await machines();
    const [first, second] = [await boot(MAC_1), await boot(MAC_2)];
    lab.api.failure = AWAY;
    expect((await getFrom(lab, first, scriptPath(MAC_1))).status).toBe(503);
    lab.api.failure = undefined;
    await getFrom(lab, first, scriptPath(MAC_1));
    lab.api.failure = AWAY;
    expect((await getFrom(lab, first, scriptPath(MAC_1))).body).toContain('quiet');
    expect((await getFrom(lab, second, scriptPath(MAC_2))).body).toContain('quiet');
    expect(
      lab.log
        .events('api.away')
        .filter(({ fields }) => fields['from'] !== undefined)
        .map(({ fields }) => fields['from']),
    ).toEqual(['machine', 'partition']);
  });

  it('is refused when the API refuses, also when there is an older answer', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    await getFrom(lab, address, scriptPath(MAC_1));
    lab.api.failure = REFUSED;
    expect(await getFrom(lab, address, scriptPath(MAC_1))).toMatchObject({ status: 404, body: 'no such partition\n' });
  });
});

describe('the configuration of a machine', () => {
  it('is given once for each boot', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const given = await getFrom(lab, address, path);
    expect(given.status).toBe(200);
    expect(JSON.parse(given.body)).toEqual({
      client: { metal_apiserver_url: 'https://10.0.0.1:9443', metal_hammer_token: `token-of-${UUID}`, ca_cert: 'CA' },
      metal_apiserver_url: 'https://10.0.0.1:9443',
      metal_apiserver_token_for_hammer: `token-of-${UUID}`,
      pixie_api_url: 'http://boot',
      ntp_servers: ['10.0.0.123'],
      dns_servers: ['10.0.0.53'],
      partition: 'lab',
      logging: null,
      debug: false,
    });
    const again = await getFrom(lab, address, path);
    expect(again.status).toBe(403);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'nonce_used' });
    expect(lab.log.events('config.given')).toHaveLength(1);
    expect(lab.log.events('config.refused')[0]?.fields).toMatchObject({ reason: 'nonce-used' });
    expect(JSON.stringify(lab.log.records)).not.toContain('token-of-');
  });

  it.each([
    ['without a nonce', (path: string) => path.replace(/\?.*/, ''), 'nonce_missing'],
    ['with an invented nonce', (path: string) => path.replace(/nonce=.*/, `nonce=${'0'.repeat(32)}`), 'nonce_unknown'],
    [
      'for another machine',
      (path: string) => path.replace(UUID, '11111111-2222-3333-4444-555555555555'),
      'nonce_of_another_machine',
    ],
  ])('is refused %s', async (_what, change, code) => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const refused = await getFrom(lab, address, change(path));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code });
    expect(await lab.drops('http', code.replaceAll('_', '-'))).toBe(1);
    expect(lab.api.calls.filter((call) => call.startsWith('token'))).toEqual([]);
    expect((await getFrom(lab, address, path)).status).toBe(200);
  });

  it('is refused after the nonce’s time, and to an address of another machine', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect((await getFrom(lab, '127.0.0.9', path)).status).toBe(403);
    await lab.clock.advance(31 * 60_000);
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'nonce_expired' });
  });

  it('is refused with the nonce of an earlier script', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const old = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    await getFrom(lab, address, scriptPath(MAC_1));
    expect((await getFrom(lab, address, old)).status).toBe(403);
  });

  it('can be asked for again when the API was away', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    lab.api.failure = AWAY;
    const away = await getFrom(lab, address, path);
    expect(away.status).toBe(503);
    expect(away.headers['retry-after']).toBe('5');
    lab.api.failure = undefined;
    expect((await getFrom(lab, address, path)).status).toBe(200);
  });

  it('is given to one of two who ask at the same moment', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const answers = await Promise.all([
      getFrom(lab, address, path),
      getFrom(lab, address, path),
      getFrom(lab, address, path),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('survives a restart of the server between script and configuration', async () => {
    const first = await machines();
    const address = await first.boot(MAC_1);
    const path = configPath((await getFrom(first.lab, address, scriptPath(MAC_1))).body);
    await first.lab.server.stop();
    const second = await startLab({
      dataDir: first.lab.dataDir,
      config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, subnets: [subnetConfig('127.0.7')] } }),
    });
    expect(second.api).toBeInstanceOf(FakeApi);
    expect((await getFrom(second, address, path)).status).toBe(200);
  });
});

describe('the configuration of the v1 API', () => {
  const v1Machines = () => {
    const folder = temporaryFolder();
    for (const name of ['ca', 'cert', 'key', 'hmac', 'password'])
      writeFileSync(join(folder, name), `${name} text\n`, { mode: 0o600 });
    const at = (name: string): string => join(folder, name);
    return machines({ v1Certs: true }, [], {
      ntpServers: [],
      dnsServers: [],
      debug: true,
      v1: {
        grpcAddress: 'metal-api:50051',
        caFile: at('ca'),
        certFile: at('cert'),
        keyFile: at('key'),
        hmacFile: at('hmac'),
        logging: { endpoint: 'https://loki/push', user: 'me', passwordFile: at('password') },
      },
    });
  };
  const certsPath = (script: string): string => /PIXIE_API_URL=http:\/\/boot(\/certs\S+)/.exec(script)?.[1] ?? 'no url';

  it('is given once for each boot, to its own machine, and its secrets are in no log', async () => {
    const { lab, boot } = await v1Machines();
    const address = await boot(MAC_1);
    const path = certsPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect((await getFrom(lab, '127.0.0.9', path)).status).toBe(403);
    const given = await getFrom(lab, address, path);
    expect(JSON.parse(given.body)).toEqual({
      debug: true,
      address: 'metal-api:50051',
      pixie_api_url: 'http://boot/certs',
      ca_cert: 'ca text\n',
      cert: 'cert text\n',
      key: 'key text\n',
      hmac: 'hmac text',
      ntp_servers: ['10.0.0.123'],
      partition: 'lab',
      logging: {
        endpoint: 'https://loki/push',
        basic_auth: { user: 'me', password: 'password text' },
        log_type: 'loki',
      },
    });
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'nonce_used' });
    expect((await getFrom(lab, address, '/certs')).status).toBe(403);
    expect(JSON.stringify(lab.log.records)).not.toMatch(/(key|hmac|password) text/);
  });

  it('is not there unless it is asked for', async () => {
    const lab = await startLab();
    expect((await lab.get('/certs')).status).toBe(404);
  });
});

function withCa(dir: string, change: Partial<BootServerConfig>): BootServerConfig {
  writeFileSync(join(dir, 'ca.pem'), 'CA');
  return testConfig(dir, change);
}

describe('names of files', () => {
  const kernelOf = (script: string): string => /kernel --name kernel http:\/\/boot(\S+)/.exec(script)?.[1] ?? '';
  const initrdOf = (script: string): string => /initrd --name initrd0 http:\/\/boot(\S+)/.exec(script)?.[1] ?? '';

  it('do not show what they stand for, and are new for every script', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const first = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const second = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect(first).not.toBe(second);
    for (const path of [first, second]) expect((await getFrom(lab, address, path)).body).toBe('the kernel');
    const name = new URL(first, 'http://boot').searchParams.get('name') ?? '';
    expect(Buffer.from(name, 'base64url').toString('latin1')).not.toContain('vmlinuz');
  });

  it.each([
    ['changed', (path: string) => path.replace(/name=(.{40})./, 'name=$1_'), 'file_tampered'],
    ['none', (path: string) => path.replace(/name=[^&]*/, 'name='), 'file_tampered'],
    ['of another NIC', (path: string) => path.replace(MAC_1, MAC_2), 'file_of_another'],
    ['of another kind', (path: string) => path.replace('type=kernel', 'type=initrd'), 'file_of_another'],
  ])('%s are refused, logged and counted', async (_what, change, code) => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const refused = await getFrom(lab, address, change(path));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code });
    const reason = code.replaceAll('_', '-');
    expect(await lab.drops('http', reason)).toBe(1);
    expect(lab.log.events('http.refused')[0]?.fields).toMatchObject({ reason });
  });

  it('are good for their time only', async () => {
    const { lab, boot } = await machines({ signing: { urlMinutes: 10 } });
    const address = await boot(MAC_1);
    const path = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    await lab.clock.advance(9 * 60_000);
    expect((await getFrom(lab, address, path)).status).toBe(200);
    await lab.clock.advance(62_000);
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'file_expired' });
  });

  it('are good on another server with the same key, and after a change of keys as long as the old one is named', async () => {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    const newKeyFile = join(folder, 'new');
    writeFileSync(keyFile, `${'a1'.repeat(32)}\n`, { mode: 0o600 });
    writeFileSync(newKeyFile, `${'b2'.repeat(32)}\n`, { mode: 0o600 });
    const first = await machines({ signing: { urlMinutes: 720, keyFile } });
    const address = await first.boot(MAC_1);
    const { body } = await getFrom(first.lab, address, scriptPath(MAC_1));
    const roots = { artifacts: { roots: [first.files], maxBytes: 1_000_000 } };
    const statusWith = async (signing: BootServerConfig['http']['signing']): Promise<number[]> => {
      const other = await startLab({ config: (dir) => withCa(dir, { ...roots, http: httpConfig({ signing }) }) });
      return [
        (await getFrom(other, address, kernelOf(body))).status,
        (await getFrom(other, address, initrdOf(body))).status,
        (await getFrom(other, address, configPath(body))).status,
      ];
    };
    expect(await statusWith({ urlMinutes: 720, keyFile })).toEqual([200, 200, 200]);
    expect(await statusWith({ urlMinutes: 720, keyFile: newKeyFile, previousKeyFile: keyFile })).toEqual([
      200, 200, 200,
    ]);
    expect(await statusWith({ urlMinutes: 720, keyFile: newKeyFile })).toEqual([403, 403, 403]);
    expect(await statusWith({ urlMinutes: 720 })).toEqual([403, 403, 403]);
  });

  it('a key that others may read, or that is none, keeps the server from starting', async () => {
    const keyFile = join(temporaryFolder(), 'key');
    writeFileSync(keyFile, 'secret', { mode: 0o600 });
    const start = (): Promise<Lab> =>
      startLab({ config: (dir) => testConfig(dir, { http: httpConfig({ signing: { urlMinutes: 720, keyFile } }) }) });
    await expect(start()).rejects.toThrow('openssl rand -hex 32');
    chmodSync(keyFile, 0o644);
    await expect(start()).rejects.toThrow('chmod 0600');
  });
});

describe('two boot servers', () => {
  const KEY = 'c3'.repeat(32);
  const pairOf = async (peersOfFirst: (port: number) => string[]) => {
    const keyFile = join(temporaryFolder(), 'key');
    writeFileSync(keyFile, KEY, { mode: 0o600 });
    const signing = { urlMinutes: 720, keyFile };
    const second = await startLab({ config: (dir) => withCa(dir, { http: httpConfig({ signing }) }) });
    const first = await machines({ signing }, peersOfFirst(second.server.httpPort));
    const address = await first.boot(MAC_1);
    const script = await getFrom(first.lab, address, scriptPath(MAC_1));
    return { first: first.lab, second, address, path: configPath(script.body), keyFile };
  };

  it('give a configuration once between them', async () => {
    const { first, second, address, path } = await pairOf((port) => [`http://127.0.0.1:${port}/`]);
    expect((await getFrom(first, address, path)).status).toBe(200);
    const again = await getFrom(second, address, path);
    expect(again.status).toBe(403);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'nonce_used' });
  });

  it('refuse it when the other one gave it before, also if that could not tell', async () => {
    const { first, second, address, path } = await pairOf((port) => [`http://127.0.0.1:${port}`]);
    expect((await getFrom(second, address, path)).status).toBe(200);
    expect(JSON.parse((await getFrom(first, address, path)).body)).toMatchObject({ code: 'nonce_used' });
  });

  it('give it when the other one is away, and say so', async () => {
    const { first, address, path } = await pairOf(() => ['http://127.0.0.1:9']);
    expect((await getFrom(first, address, path)).status).toBe(200);
    expect(first.log.events('peer.away')).toHaveLength(1);
    expect(await first.drops('http', 'peer-away')).toBe(1);
  });

  it('wait half a second at most for one that hangs', async () => {
    const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => {
      hanging.closeAllConnections();
      hanging.close();
    });
    await once(hanging, 'listening');
    const bound = hanging.address();
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const { first, address, path } = await pairOf(() => [`http://127.0.0.1:${port}`]);
    const answer = getFrom(first, address, path);
    await once(hanging, 'request');
    await first.clock.advance(501);
    expect((await answer).status).toBe(200);
    expect(await first.drops('http', 'peer-away')).toBe(1);
  });

  it.each(['', 'AAAA', 'A'.repeat(9_000)])('believe no stranger (%j)', async (token) => {
    const lab = await startLab();
    expect((await lab.get(`/_/used?nonce=${token}`)).status).not.toBe(200);
    const nonce = await lab.get(`/_/used?nonce=${token}`);
    expect([400, 403, 431]).toContain(nonce.status);
  });
});

describe('hostile clients', () => {
  it.each([
    ['POST', { method: 'POST' }, 405],
    ['a GET with a body', { method: 'GET', headers: { 'content-length': '5' } }, 400],
  ])('%s is refused', async (_what, options, status) => {
    const lab = await startLab();
    const request = httpRequest({
      host: '127.0.0.1',
      port: lab.server.httpPort,
      path: '/_/booting',
      agent: false,
      ...options,
    });
    request.on('error', () => undefined);
    request.flushHeaders();
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(status);
    request.destroy();
  });

  it.each([
    '\x00\x01\x02\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    'GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n',
  ])('bytes that are no request are answered with an error or a closed connection', async (text) => {
    const lab = await startLab();
    const socket = connect(lab.server.httpPort, '127.0.0.1');
    let answer = '';
    socket.on('data', (part) => (answer += part.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(text, 'latin1');
    await once(socket, 'close');
    expect(answer === '' || answer.startsWith('HTTP/1.1 4')).toBe(true);
    expect((await lab.get('/boot/snponly.efi', { method: 'HEAD' })).status).toBe(200);
  });
});
