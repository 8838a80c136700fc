import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { httpSchema } from '../../src/config/http.ts';
import { tftpSchema } from '../../src/config/tftp.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { httpConfig, testConfig } from '../support/config.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';
import { getFrom, machines, scriptPath } from './machines.ts';

const snponly = readFileSync('/usr/lib/ipxe/snponly.efi');
const AWAY = new BootServerError(BootServerErrorCode.ApiAway, 'connection refused');
const REFUSED = new BootServerError(BootServerErrorCode.ApiRefused, 'no such partition');

describe('files', () => {
  it('come whole, with length, type and ETag', async () => {
    const lab = await startLab();
    const response = await lab.get('/boot/52-54-00-00-01-01/snponly.efi');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(snponly.length));
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), snponly)).toBe(0);
    // The client has the last byte a moment before the server knows.
    await vi.waitFor(() => expect(lab.log.events('http.file')).toHaveLength(1), 20_000);
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

describe('an interface in http.listen', () => {
  it.each([
    ['nope0:8080', BootServerErrorCode.ListenFailed, /interface nope0/],
    ['unix:/run/x', BootServerErrorCode.ConfigInvalid, /machines cannot reach a unix socket/],
  ])('%s keeps the server from starting, in words', async (listen, code, message) => {
    const start = startLab({ config: (dir) => testConfig(dir, { http: httpConfig({ listen }) }) });
    await expect(start).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each(['eth1:8080', 'br-lan.7:80', '[fe80::1%eth1]:80', '0.0.0.0:1'])('%s is a place to listen', (listen) => {
    expect(httpSchema.safeParse({ listen }).success).toBe(true);
  });

  it.each([
    '10.0.0.300:80',
    'eth1',
    'eth1:99999',
    'eth0:1:80',
    '[fe80::1]',
    'an interface:80',
    'toolonganinterface:80',
  ])('%j is none', (listen) => {
    expect(httpSchema.safeParse({ listen }).success).toBe(false);
  });

  it.each([
    ['eth1', true],
    ['10.0.0.1', true],
    ['2001:db8::1', true],
    ['fe80::1%eth1', true],
    ['fe80::1', false],
    ['2001:db8::1%eth1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0', false],
  ])('tftp.listen: %s is a place: %s', (entry, isOne) => {
    expect(tftpSchema.safeParse({ listen: [entry] }).success).toBe(isOne);
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
