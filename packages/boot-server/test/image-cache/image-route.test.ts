import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { BootServerConfig } from '../../src/config.ts';
import { imageCacheSchema } from '../../src/config/image-cache.ts';
import { imagePath } from '../../src/image-cache/image-cache.ts';
import { testConfig } from '../support/config.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { imageStoreServer, type ImageStoreServer } from './image-store.ts';

const IMAGE = Buffer.from('an operating system');

async function labWithStore(): Promise<{
  lab: Lab;
  store: ImageStoreServer;
  path: string;
  imageCache: BootServerConfig['imageCache'];
}> {
  const store = await imageStoreServer();
  store.files.set('/os/debian.img', IMAGE);
  const imageCache = imageCacheSchema.parse({
    stores: [`${store.url}/os`],
    images: [
      {
        url: `${store.url}/os/debian.img`,
        sha256: createHash('sha256').update(IMAGE).digest('hex'),
      },
    ],
  });
  const lab = await startLab({ config: (dir) => testConfig(dir, { imageCache }) });
  await expect.poll(() => lab.log.events('image-cache.fetched')).toHaveLength(1);
  return { lab, store, path: imagePath(`${store.url}/os/debian.img`), imageCache };
}

/** With a Host header of one's own, as after a name server led the store's name here. */
async function getAs(
  lab: Lab,
  host: string,
  path: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ status: number | undefined; body: string }> {
  const headers = { host, ...more };
  const request = httpRequest({ host: '127.0.0.1', port: lab.server.httpPort, path, headers, agent: false });
  request.end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const part of response) body += String(part);
  return { status: response.statusCode, body };
}

describe('images over HTTP', () => {
  it('come from the disk, whole or in part, with the store away', async () => {
    const { lab, store, path } = await labWithStore();
    store.isAway = true;
    const whole = await lab.get(path);
    expect(await whole.text()).toBe('an operating system');
    const part = await lab.get(path, { headers: { range: 'bytes=3-11' } });
    expect({ status: part.status, text: await part.text() }).toEqual({ status: 206, text: 'operating' });
    expect(part.headers.get('etag')).toBe(whole.headers.get('etag'));
  });

  it('come to whom the name server leads here instead of to the store', async () => {
    const { lab, store } = await labWithStore();
    const host = new URL(store.url).host;
    expect(await getAs(lab, host, '/os/debian.img')).toEqual({ status: 200, body: 'an operating system' });
    expect((await getAs(lab, host, '/elsewhere/debian.img')).status).toBe(404);
  });

  it('that are not here are fetched for whom the name server leads here, and who would only come again', async () => {
    const { lab, store } = await labWithStore();
    const { host } = new URL(store.url);
    const other = Buffer.from('another system');
    store.files.set('/os/ubuntu.img', other);
    expect(await getAs(lab, host, '/os/ubuntu.img')).toEqual({ status: 200, body: 'another system' });
    const headers = { range: 'bytes=8-', 'if-range': store.etagOf(other) };
    expect(await getAs(lab, host, '/os/ubuntu.img', headers)).toEqual({ status: 206, body: 'system' });
    expect(await getAs(lab, host, '/os/none.img')).toEqual({ status: 404, body: '' });
    store.cutAfter = () => 5;
    // Sooner or later, but never as if it were whole.
    await expect(getAs(lab, host, '/os/ubuntu.img')).rejects.toThrow(/aborted|hang up/);
    await expect.poll(() => lab.drops('http', 'store-away'), { timeout: 10_000 }).toBe(1);
  });

  it('of a store that is away are missed in words', async () => {
    const closed = await labWithStore();
    const imageCache = imageCacheSchema.parse({ stores: ['http://127.0.0.1:9'] });
    await closed.lab.server.reload(testConfig(closed.lab.dataDir, { imageCache }));
    const { status, body } = await getAs(closed.lab, '127.0.0.1:9', '/os/debian.img');
    expect({ status, ...JSON.parse(body) }).toMatchObject({ status: 502, code: 'store_away' });
  });

  it('are not asked for in circles where this server’s own name server leads it here as well', async () => {
    const { lab } = await labWithStore();
    const host = `127.0.0.1:${lab.server.httpPort}`;
    const imageCache = imageCacheSchema.parse({ stores: [`http://${host}/os`] });
    await lab.server.reload(testConfig(lab.dataDir, { imageCache }));
    const { status, body } = await getAs(lab, host, '/os/ubuntu.img');
    expect({ status, ...JSON.parse(body) }).toMatchObject({ status: 404, code: 'not_cached' });
  });

  it('have their checksum files', async () => {
    const { lab, path } = await labWithStore();
    const md5 = createHash('md5').update(IMAGE).digest('hex');
    expect(await (await lab.get(`${path}.md5`)).text()).toBe(`${md5}  debian.img\n`);
  });

  it('that are not here are at the store, except for a peer, which asks the store itself', async () => {
    const { lab, store, path } = await labWithStore();
    const other = path.replace('debian', 'ubuntu');
    const led = await lab.get(other, { redirect: 'manual' });
    expect({ status: led.status, location: led.headers.get('location') }).toEqual({
      status: 307,
      location: `${store.url}/os/ubuntu.img`,
    });
    expect((await lab.get(other, { headers: { 'ingot-cache-only': '1' } })).status).toBe(404);
  });

  it('of strange stores are refused and counted', async () => {
    const { lab } = await labWithStore();
    expect((await lab.get('/images/http/169.254.169.254/latest')).status).toBe(404);
    expect(await lab.drops('http', 'unknown-image')).toBe(1);
  });

  it('are counted', async () => {
    const { lab, path } = await labWithStore();
    await (await lab.get(path)).text();
    const metrics = await lab.metrics.text();
    expect(metrics).toContain('ingot_boot_server_image_cache_total{what="hit"} 1');
    expect(metrics).toContain(`ingot_boot_server_image_cache_bytes ${IMAGE.byteLength}`);
  });
});

describe('images at a reload', () => {
  it('follow the new lists and stores at once', async () => {
    const { lab, store, path, imageCache } = await labWithStore();
    if (imageCache === undefined) throw new Error('no cache is configured');
    store.files.set('/os/ubuntu.img', IMAGE);
    const images = [...imageCache.images, { url: `${store.url}/os/ubuntu.img` }];
    const next = testConfig(lab.dataDir, { imageCache: { ...imageCache, images } });
    expect(await lab.server.reload(next)).toEqual({ taken: ['imageCache.images'], needsRestart: [] });
    await expect.poll(() => lab.log.events('image-cache.fetched')).toHaveLength(2);
    const elsewhere = { ...imageCache, stores: ['http://127.0.0.1:9'], images: [] };
    await lab.server.reload(testConfig(lab.dataDir, { imageCache: elsewhere }));
    // What nobody vouches for any more is not given out.
    expect((await lab.get(path, { redirect: 'manual' })).status).toBe(404);
  });

  it('are served as before when the cache is taken out or moved: that takes a restart, and is said', async () => {
    const { lab, store, path, imageCache } = await labWithStore();
    store.isAway = true;
    expect(await lab.server.reload(testConfig(lab.dataDir))).toEqual({ taken: [], needsRestart: ['imageCache'] });
    expect(await (await lab.get(path)).text()).toBe('an operating system');
    const moved = testConfig(lab.dataDir, { imageCache: imageCache && { ...imageCache, directory: '/elsewhere' } });
    expect(await lab.server.reload(moved)).toEqual({ taken: [], needsRestart: ['imageCache.directory'] });
    expect(await (await lab.get(path)).text()).toBe('an operating system');
  });

  it('are not served when the cache is new: that takes a restart, and is said', async () => {
    const store = await imageStoreServer();
    const lab = await startLab();
    const imageCache = imageCacheSchema.parse({ stores: [store.url], images: [{ url: `${store.url}/debian.img` }] });
    const next = testConfig(lab.dataDir, { imageCache });
    expect(await lab.server.reload(next)).toEqual({ taken: [], needsRestart: ['imageCache'] });
    expect((await lab.get(imagePath(`${store.url}/debian.img`), { redirect: 'manual' })).status).toBe(404);
    expect(store.answers).toEqual([]);
    // A later reload of something else neither forgets nor repeats it.
    const { needsRestart } = await lab.server.reload({ ...next, tftp: { ...next.tftp, maxTransfers: 7 } });
    expect(needsRestart).toEqual(['imageCache']);
  });
});
