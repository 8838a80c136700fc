import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockClock, systemClock } from '@ingot/net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createHealth,
  createMetrics,
  startObservability,
  type Health,
  type Metrics,
  type Observability,
} from '../src/index.ts';

const running: Observability[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

async function start(options: { listen?: string; metrics?: Metrics; health?: Health } = {}): Promise<string> {
  const observability = await startObservability({
    listen: '127.0.0.1:0',
    metrics: createMetrics(),
    health: createHealth({ clock: systemClock }),
    onError: () => undefined,
    ...options,
  });
  running.push(observability);
  return observability.address;
}

function viaSocket(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the endpoint', () => {
  it('serves metrics in the Prometheus text format', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'ingot_offers_total', help: 'Offers sent.', labels: ['arch'] }).inc({ arch: 'x86_64' }, 2);
    metrics.gauge({ name: 'ingot_leases', help: 'Leases.', collect: (gauge) => gauge.set({}, 7) });
    metrics.histogram({ name: 'ingot_seconds', help: 'Seconds.', buckets: [1, 2] }).observe({}, 1.5);
    const response = await fetch(`http://${await start({ metrics })}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('ingot_offers_total{arch="x86_64"} 2');
    expect(text).toContain('ingot_leases 7');
    expect(text).toContain('ingot_seconds_bucket{le="2"} 1');
  });

  it('is live and ready when nothing is wrong', async () => {
    const address = await start();
    expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
  });

  it('is not ready, and says why, while a check fails; and is live all the same', async () => {
    const health = createHealth({ clock: systemClock });
    health.set('api', { ok: false, reason: 'https://10.0.0.1:9443 refuses the connection' });
    health.check('database', () => ({ ok: true }));
    health.check('socket', () => Promise.reject(new Error('closed')));
    const address = await start({ health });
    const response = await fetch(`http://${address}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not ready',
      failing: { api: 'https://10.0.0.1:9443 refuses the connection', socket: 'closed' },
      checks: ['api', 'database', 'socket'],
    });
    expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  });

  it('answers HEAD without a body, other methods with 405, other paths with 404', async () => {
    const address = await start();
    const head = await fetch(`http://${address}/metrics?x=1`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(`http://${address}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`http://${address}/debug/pprof`)).status).toBe(404);
  });

  it('refuses headers over its limit', async () => {
    const address = await start();
    const response = await fetch(`http://${address}/metrics`, { headers: { 'x-long': 'a'.repeat(9000) } });
    expect(response.status).toBe(431);
  });

  it('serves on a unix socket that others cannot open, and takes over a dead one but not a live one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingot-obs-'));
    try {
      const path = join(folder, 'metrics.sock');
      // A socket whose owner was killed: the file stays.
      const dead = createServer().listen(path);
      await new Promise((resolve) => dead.once('listening', resolve));
      dead.unref();
      await expect(start({ listen: `unix:${path}` })).rejects.toMatchObject({ code: 'DAEMON_LISTEN' });
      await new Promise((resolve) => dead.close(resolve));
      await start({ listen: `unix:${path}` });
      expect(await viaSocket(path, '/healthz')).toBe(200);
      expect(((await stat(path)).mode & 0o007).toString(8)).toBe('0');
    } finally {
      await Promise.all(running.splice(0).map((each) => each.stop()));
      await rm(folder, { recursive: true });
    }
  });

  it('names the address that is in use', async () => {
    const address = await start();
    await expect(start({ listen: address })).rejects.toThrow(`metrics: cannot listen on ${address}`);
  });
});

describe('health', () => {
  it('fails a check that does not answer in time', async () => {
    const clock = new MockClock();
    const health = createHealth({ clock, timeoutMs: 100 });
    health.check('slow', () => new Promise(() => undefined));
    const readiness = health.readiness();
    await clock.advance(100);
    expect(await readiness).toEqual({
      ready: false,
      checks: { slow: { ok: false, reason: 'no answer within 100 ms' } },
    });
  });

  it('forgets a check that was taken out', async () => {
    const health = createHealth({ clock: new MockClock() });
    const remove = health.check('gone', () => ({ ok: false, reason: 'x' }));
    remove();
    expect(await health.readiness()).toEqual({ ready: true, checks: {} });
  });
});

describe('metrics', () => {
  it('are of one registry each, and a name is taken once', async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.counter({ name: 'ingot_a_total', help: 'A.' }).inc({});
    expect(await two.text()).not.toContain('ingot_a_total');
    expect(() => one.counter({ name: 'ingot_a_total', help: 'A.' })).toThrow(/ingot_a_total/);
  });
});
