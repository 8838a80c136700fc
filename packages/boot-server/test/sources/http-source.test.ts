import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MockClock, systemClock, type Clock } from '@ingot/net';
import type { HttpSourceConfig } from '../../src/config/sources.ts';
import { fileMark, type BootSubject } from '../../src/decide/boot-plan.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { httpSource, type HttpSource } from '../../src/sources/http-source.ts';
import { MAC_1, UUID } from '../support/dhcp-messages.ts';
import { bootSubject } from '../support/subject.ts';

const subject = (mac = MAC_1): BootSubject => bootSubject({ mac });

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const json =
  (value: unknown, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

/** A real HTTP server, as somebody might have written one for pixiecore, and the source that asks it. */
async function api(
  answer: Answer,
  change: Partial<HttpSourceConfig> = {},
  clock: Clock = systemClock,
): Promise<{ source: HttpSource; base: string; asked: string[]; connections: () => number; most: () => number }> {
  const asked: string[] = [];
  let connections = 0;
  let now = 0;
  let most = 0;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    now += 1;
    most = Math.max(most, now);
    response.once('close', () => {
      now -= 1;
    });
    answer(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const base = `http://127.0.0.1:${address.port}`;
  const source = httpSource(
    { url: `${base}/prefix/`, timeoutMs: 5_000, concurrency: 128, askDhcp: false, ...change },
    clock,
  );
  onTestFinished(() => {
    source.close();
    server.closeAllConnections();
    server.close();
  });
  return { source, base, asked, connections: () => connections, most: () => most };
}

describe('answers of pixiecore’s API', () => {
  it('a kernel, its initrds and its command line; what is relative starts at the prefix', async () => {
    const { source, base, asked } = await api(
      json({
        kernel: 'files/vmlinuz',
        initrd: ['/abs/initrd.gz', 'http://mirror/extra.cpio', 'file:///srv/fw.cpio'],
        cmdline: ' quiet ks={{ URL "ks?host=a" }} key={{URL `https://mirror/key`}} ',
        message: 'Hello\nthere\n',
        unknown: 1,
      }),
    );
    expect(await source.plan(subject(), 'fresh')).toEqual({
      kind: 'kernel',
      kernel: `${base}/prefix/files/vmlinuz`,
      initRamDisks: [`${base}/abs/initrd.gz`, 'http://mirror/extra.cpio', 'file:///srv/fw.cpio'],
      cmdline: `quiet ks=${fileMark(`${base}/prefix/ks?host=a`)} key=${fileMark('https://mirror/key')}`,
      message: 'Hello\nthere',
      wantsConfig: false,
      origin: `http: ${base}/prefix/v1/boot`,
    });
    expect(asked).toEqual([`GET /prefix/v1/boot/${MAC_1}`]);
  });

  it('of a prefix that ends in a query, put together as upstream does', async () => {
    const { base, asked } = await api(json({ kernel: 'http://mirror/k' }));
    const url = `${base}/ask?path=`;
    const source = httpSource({ url, timeoutMs: 5_000, concurrency: 1, askDhcp: false }, systemClock);
    onTestFinished(() => source.close());
    expect(await source.plan(subject(), 'fresh')).toMatchObject({ kernel: 'http://mirror/k' });
    expect(asked).toEqual([`GET /ask?path=/v1/boot/${MAC_1}`]);
  });

  it('the command line as an object, in the order of its names', async () => {
    const { source, base } = await api(
      json({ kernel: 'k', initrd: null, cmdline: { quiet: false, debug: true, b: 'x y', a: { url: 'ks' } } }),
    );
    expect(await source.plan(subject(), 'fresh')).toMatchObject({
      initRamDisks: [],
      cmdline: `a=${fileMark(`${base}/prefix/ks`)} b="x y" debug quiet`,
    });
  });

  it('a script of its own', async () => {
    const { source } = await api(json({ 'ipxe-script': '#!ipxe\nshell\n' }));
    expect(await source.plan(subject(), 'fresh')).toMatchObject({ kind: 'script', script: '#!ipxe\nshell\n' });
  });

  it.each([404, 403, 204, 400])('status %d: the machine is not its own', async (status) => {
    const { source } = await api(json({ kernel: 'k' }, status));
    expect(await source.plan(subject(), 'fresh')).toBeUndefined();
  });

  it.each([500, 502, 503, 429])('status %d: it is away', async (status) => {
    const { source } = await api(json({ kernel: 'k' }, status));
    await expect(source.plan(subject(), 'fresh')).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
  });

  it('a redirect is followed, to http only and not for ever', async () => {
    const { source, asked } = await api((request, response) => {
      if (request.url?.startsWith('/prefix/v1/boot/') === true) response.writeHead(302, { location: '/there' }).end();
      else json({ kernel: 'k' })(request, response);
    });
    expect(await source.plan(subject(), 'fresh')).toMatchObject({ kind: 'kernel' });
    expect(asked).toHaveLength(2);
    const round = await api((_request, response) => void response.writeHead(302, { location: '/round' }).end());
    await expect(round.source.plan(subject(), 'fresh')).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
    expect(round.asked).toHaveLength(11);
    const file = await api(
      (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    );
    await expect(file.source.plan(subject(), 'fresh')).rejects.toThrow(/redirects to file:/);
  });
});

describe('hostile and wrong answers', () => {
  it.each<[string, unknown, RegExp]>([
    ['a second line in the command line', { kernel: 'k', cmdline: 'quiet\nshell' }, /control characters/],
    ['iPXE’s braces in the command line', { kernel: 'k', cmdline: 'a=${net0/mac}' }, /\$\{ in it/],
    ['the end of a command', { kernel: 'k', cmdline: 'quiet || shell' }, /the word "\|\|"/],
    ['a quote without its partner', { kernel: 'k', cmdline: 'a="b' }, /double quote/],
    ['a NUL', { kernel: 'k', cmdline: 'a=\0file:///etc/shadow\0' }, /NUL/],
    ['another function of templates', { kernel: 'k', cmdline: '{{ ID "x" }}' }, /only \{\{ URL/],
    ['half a template', { kernel: 'k', cmdline: 'a={{ URL "x"' }, /only \{\{ URL/],
    ['a pipeline', { kernel: 'k', cmdline: '{{ "x" | URL }}' }, /only \{\{ URL/],
    ['a number as value', { kernel: 'k', cmdline: { a: 1 } }, /"a" is no text/],
    ['a kernel of another kind', { kernel: 'gopher://x/k' }, /neither a file:/],
    ['a host in a file URI', { kernel: 'file://server/k' }, /write file:\/\/\/absolute/],
    ['an initrd with quotes', { kernel: 'k', initrd: ["http://x/'a"] }, /characters that no URI has/],
    ['a script that is none', { 'ipxe-script': 'shell' }, /does not begin with/],
    ['a message with iPXE’s braces', { kernel: 'k', message: '${password}' }, /message has \$\{/],
    ['nothing to boot', {}, /neither kernel nor ipxe-script/],
    ['a list', [], /./],
    ['seventeen initrds', { kernel: 'k', initrd: Array.from({ length: 17 }, () => 'i') }, /initrd/],
  ])('%s is refused in words', async (_what, value, words) => {
    const { source } = await api(json(value));
    await expect(source.plan(subject(), 'fresh')).rejects.toMatchObject({
      code: BootServerErrorCode.ApiRefused,
      message: expect.stringMatching(words),
    });
  });

  it('one text for two machines is one plan, and what is wrong with it is told of each by its own name', async () => {
    const other = '02:00:00:00:00:01';
    const good = await api(json({ kernel: 'k' }));
    const wrong = await api(json({ kernel: 'gopher://x/k' }));
    for (const mac of [MAC_1, other]) {
      expect(await good.source.plan(subject(mac), 'fresh')).toMatchObject({
        kernel: `${good.base}/prefix/k`,
        origin: `http: ${good.base}/prefix/v1/boot`,
      });
      await expect(wrong.source.plan(subject(mac), 'fresh')).rejects.toThrow(`/v1/boot/${mac} names a boot`);
    }
  });

  it('what is not JSON is refused', async () => {
    const { source } = await api((_request, response) => void response.end('<html>'));
    await expect(source.plan(subject(), 'fresh')).rejects.toThrow(/not JSON/);
  });

  it('an answer without end costs no more than its bound', async () => {
    let sent = 0;
    const { source } = await api((_request, response) => {
      const part = Buffer.alloc(65_536, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(part)) sent += part.byteLength;
        sent += part.byteLength;
      };
      response.on('drain', more);
      more();
    });
    await expect(source.plan(subject(), 'fresh')).rejects.toMatchObject({
      code: BootServerErrorCode.ApiAway,
      message: expect.stringMatching(/more than 262144 bytes/),
    });
    expect(sent).toBeLessThan(64 * 1_048_576);
  });

  it('an answer that breaks off is none', async () => {
    const { source } = await api((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"kernel":"k"}', () => response.destroy());
    });
    await expect(source.plan(subject(), 'fresh')).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
  });

  it('nobody listening is away', async () => {
    const { source } = await api(json({}), { url: 'http://127.0.0.1:9' });
    await expect(source.plan(subject(), 'fresh')).rejects.toMatchObject({ code: BootServerErrorCode.ApiAway });
  });
});

describe('a slow API', () => {
  it('that hangs is given up after its time', async () => {
    const clock = new MockClock();
    const arrived = Promise.withResolvers<undefined>();
    const { source } = await api(() => arrived.resolve(undefined), {}, clock);
    const plan = Promise.resolve(source.plan(subject(), 'fresh'));
    const refused = expect(plan).rejects.toMatchObject({
      code: BootServerErrorCode.ApiAway,
      message: expect.stringMatching(/no answer within 5000 ms/),
    });
    await arrived.promise;
    await clock.advance(5_000);
    await refused;
  });

  it('that hangs is never asked what waited for a connection in vain', async () => {
    const { source, asked } = await api(
      (request, response) => {
        if (request.url?.endsWith(MAC_1) !== true) json({ kernel: 'k' })(request, response);
      },
      { concurrency: 1, timeoutMs: 100 },
    );
    const plans = [MAC_1, '02:00:00:00:00:01'].map(async (mac) => source.plan(subject(mac), 'fresh'));
    expect((await Promise.allSettled(plans)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await source.plan(subject('02:00:00:00:00:02'), 'fresh')).toMatchObject({ kind: 'kernel' });
    expect(asked).toEqual([MAC_1, '02:00:00:00:00:02'].map((mac) => `GET /prefix/v1/boot/${mac}`));
  });

  it('of 5 ms is asked for many machines at once, over connections that stay open', async () => {
    const { source, connections, most } = await api(
      (request, response) => void setTimeout(() => json({ kernel: 'k' })(request, response), 5),
      { concurrency: 16 },
    );
    const macs = Array.from({ length: 200 }, (_, index) => `52:54:00:00:02:${index.toString(16).padStart(2, '0')}`);
    const plans = await Promise.all(macs.map(async (mac) => source.plan(subject(mac), 'fresh')));
    expect(plans.every((plan) => plan?.kind === 'kernel')).toBe(true);
    expect(most()).toBe(16);
    expect(connections()).toBe(16);
  });

  it('that hangs for one machine answers for the others', async () => {
    const { source } = await api((request, response) => {
      if (request.url?.endsWith(MAC_1) !== true) json({ kernel: 'k' })(request, response);
    });
    const hanging = Promise.resolve(source.plan(subject(), 'fresh'));
    hanging.catch(() => undefined);
    expect(await source.plan(subject('02:00:00:00:00:01'), 'fresh')).toMatchObject({ kind: 'kernel' });
  });
});

describe('asking for DHCP answers', () => {
  it('is by UUID, once for the packets of one boot', async () => {
    const clock = new MockClock();
    const { source, asked } = await api(
      (request, response) => json({}, request.url?.endsWith(UUID) === true ? 200 : 404)(request, response),
      { askDhcp: true },
      clock,
    );
    const all = [source.offers?.(subject()), source.offers?.(subject())];
    expect(await Promise.all(all.map(async (each) => each))).toEqual([true, true]);
    expect(asked).toEqual([`GET /prefix/v1/dhcp/${UUID}`]);
    expect(await source.offers?.({ ...subject(), uuid: '11111111-2222-3333-4444-555555555555' })).toBe(false);
    expect(await source.offers?.({ ...subject(), uuid: undefined })).toBe(false);
    await clock.advance(10_000);
    await source.offers?.(subject());
    expect(asked).toHaveLength(3);
  });

  it('is not done unless it is configured', async () => {
    expect((await api(json({}))).source.offers).toBeUndefined();
  });
});
