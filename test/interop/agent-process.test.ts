// The agent as a process of its own, in a mount namespace that shows it another machine.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminV2, apiV2, bindService, createApiServer, infraV2, type ApiServer } from '@ingot/api';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../packages/discovery-agent/src/main.ts', import.meta.url));
const uuid = '4c4c4544-0042-3510-8052-b4c04f4e3332';
const pem = (name: string): string =>
  readFileSync(new URL(`../../packages/api/test/fixtures/${name}`, import.meta.url), 'utf8');
const eventName = (type: number): string =>
  Object.entries(apiV2.MachineProvisioningEventType).find(([, value]) => value === type)?.[0] ?? '';

let folder: string;
let api: ApiServer;
let bootServer: Server;
let child: ChildProcess | undefined;
let events: string[];
let asked: number;
let output: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-agent-process-'));
  for (const part of ['run', 'sys/class/dmi/id']) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'sys/class/dmi/id/product_uuid'), `${uuid}\n`);
  [events, asked, output] = [[], 0, ''];
  api = createApiServer<string>({
    services: [
      bindService(infraV2.BootService, {
        register: (request) => ({ uuid: request.uuid, size: 'c1-large', partition: request.partition }),
        superUserPassword: () => ({ featureDisabled: true }),
        wait: async function* (this: void, _request, { signal }) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          yield* [];
        },
      }),
      bindService(infraV2.EventService, {
        send: (request) => {
          for (const { event, message } of Object.values(request.events))
            events.push(`${eventName(event)}: ${message}`);
          return { events: 1n, failed: [] };
        },
      }),
      bindService(adminV2.MachineService, { get: (request) => ({ machine: { uuid: request.uuid } }) }),
    ],
    tls: { cert: pem('server.pem'), key: pem('server.key') },
    listen: ['127.0.0.1:0'],
    authenticate: (bearer) => bearer ?? '',
    authorize: () => undefined,
  });
  await api.start();
  bootServer = createServer((_request, response) => {
    asked += 1;
    const client = {
      metal_apiserver_url: `https://${api.addresses[0]}`,
      metal_hammer_token: 'machine-token',
      ca_cert: pem('ca.pem'),
    };
    response
      .writeHead(asked === 1 ? 200 : 403)
      .end(JSON.stringify({ client, partition: 'lab', agent: { lldp: { timeout_seconds: 1 } } }));
  }).listen(0, '127.0.0.1');
  await once(bootServer, 'listening');
  const address = bootServer.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  writeFileSync(
    join(folder, 'cmdline'),
    `quiet PIXIE_API_URL=http://127.0.0.1:${port}/config/${uuid}?nonce=secret-nonce\n`,
  );
});

afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  bootServer.close();
  await api.stop();
  rmSync(folder, { recursive: true });
});

/** One run below `/init`; `/run` outlives it, as in the image. */
function start(): ChildProcess {
  const script = [
    `mount --bind ${folder}/run /run`,
    `mount --bind ${folder}/sys /sys`,
    `mount --bind ${folder}/cmdline /proc/cmdline`,
    `exec ${process.execPath} ${MAIN} run`,
  ].join(' && ');
  const started = spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [started.stdout, started.stderr])
    stream?.on('data', (part: Buffer) => (output += part.toString()));
  child = started;
  return started;
}

async function until(condition: () => boolean): Promise<void> {
  const giveUp = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > giveUp) throw new Error(`never happened:\n${output}\n${events.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it(
  'waits, is killed, says so in its next run, and ends by a signal without a word too much',
  { timeout: 180_000 },
  async () => {
    const first = start();
    await until(() => events.includes('WAITING: waiting for allocation'));
    expect(events).toEqual([
      expect.stringMatching(/^PREPARING: starting discovery agent/),
      'REGISTERING: registering',
      'WAITING: waiting for allocation',
    ]);
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(readFileSync(join(folder, 'run/ingot/phase'), 'utf8')).toBe('waiting\n');

    // As /init does.
    writeFileSync(join(folder, 'run/ingot/last-exit'), 'code=137\nphase=waiting\nlived=4\n');
    const second = start();
    await until(() => events.filter((event) => event.startsWith('WAITING')).length === 2);
    expect(events.slice(3, 5)).toEqual([
      'CRASHED: waiting: killed by SIGKILL',
      expect.stringMatching(/^PREPARING: starting discovery agent/),
    ]);
    expect(asked).toBe(1);
    second.kill('SIGTERM');
    expect(await once(second, 'exit')).toEqual([0, null]);
    expect(output).toMatch(/^INGOT [0-9.]+ waiting stopped by SIGTERM$/m);
    expect(output + readFileSync(join(folder, 'run/ingot/agent.log'), 'utf8')).not.toMatch(
      /machine-token|secret-nonce/,
    );
  },
);
