import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { apiV2 } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type ShellParts } from '../api-kit.ts';
import {
  furnish,
  PATIENCE_MS,
  type Plane,
  registerMachine,
  sendEvent,
  startPlane,
  waitForAllocation,
} from '../plane-kit.ts';

const LAUNCHER = fileURLToPath(new URL('../../../../bin/ingot', import.meta.url));
const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';
const { MachineProvisioningEventType: Type } = apiV2;

let plane: Plane;
let create: readonly string[];
let project: string;
let waiting: AbortController;
beforeEach(async () => {
  plane = await startPlane();
  waiting = new AbortController();
  const { project: uuid, network } = await furnish(plane);
  project = uuid;
  await registerMachine(plane, MACHINE);
  await waitForAllocation(plane, MACHINE, waiting.signal);
  const where = ['--partition', 'hall', '--size', 'c1', '--network', network];
  create = ['machine', 'create', 'web01', '--project', project, '--image', 'debian-12.0', ...where];
}, PATIENCE_MS);
afterEach(async () => {
  waiting.abort();
  await plane[Symbol.asyncDispose]();
});

/** A shell in which each wait does the next of these steps instead. */
function stepping(...steps: readonly (() => unknown)[]): ShellParts & { press(): void } {
  const left = [...steps];
  let press = (): void => {};
  let passedMs = 0;
  return {
    now: () => Date.now(),
    clock: {
      ...systemClock,
      monotonic: () => passedMs,
      sleep: async (ms, signal) => {
        passedMs += ms;
        await left.shift()?.();
        signal?.throwIfAborted();
      },
    },
    onInterrupt: (stop) => {
      press = stop;
      return { [Symbol.dispose]: () => {} };
    },
    press: () => press(),
  };
}

const report = (type: apiV2.MachineProvisioningEventType, message?: string) => (): Promise<void> =>
  sendEvent(plane, MACHINE, type, message);

const withoutTimes = ({ stderr }: Answer): string[] =>
  stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));

test('the machine is given, and each phase is said on a pipe', async () => {
  const shell = stepping(
    report(Type.INSTALLING, 'debian-12.0.20260101 onto /dev/sda'),
    report(Type.BOOTING_NEW_KERNEL),
    report(Type.PHONED_HOME),
  );
  const answer = await plane.ingotIn(shell, ...create);
  expect(answer.status, answer.stderr).toBe(0);
  expect(answer.stdout).toMatch(new RegExp(`^machine ${MACHINE} is web01: 10\\.0\\.0\\.1 in \\S+\\n$`));
  expect(withoutTimes(answer)).toEqual([
    'Installing: debian-12.0.20260101 onto /dev/sda',
    'done: take the allocation',
    'Booting New Kernel',
    'done: install',
    'Phoned Home',
    'done: boot the installed system',
  ]);
  const again = await plane.ingotIn(stepping(), 'machine', 'wait', 'web01', '--project', project);
  expect(again).toMatchObject({ status: 0, stdout: `machine ${MACHINE} is web01, and has phoned home\n` });
});

test('on a terminal the phases are a display on standard error, in which nothing hostile is drawn', async () => {
  let drawn = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      drawn += chunk.toString();
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY: true, columns: 100, rows: 30 });
  const shell = stepping(
    report(Type.INSTALLING, 'wiping \u001B[2J/dev/sda'),
    report(Type.BOOTING_NEW_KERNEL),
    report(Type.PHONED_HOME),
  );
  // oxlint-disable-next-line no-unsafe-type-assertion -- as much of a terminal as the display needs
  const progress = terminal as unknown as NodeJS.WriteStream;
  const answer = await plane.ingotIn({ ...shell, progress }, ...create);
  expect(answer).toMatchObject({ status: 0, stderr: '' });
  for (const phase of ['take the allocation', 'install', 'boot the installed system']) expect(drawn).toContain(phase);
  expect(drawn).not.toContain('\u001B[2J/dev');
  // The cursor is shown again.
  expect(drawn.lastIndexOf('\u001B[?25h')).toBeGreaterThan(drawn.lastIndexOf('\u001B[?25l'));
});

test('Ctrl-C leaves the allocation alone and says how to go on', async () => {
  const shell = stepping(() => shell.press());
  const answer = await plane.ingotIn(shell, ...create);
  expect(answer.status).toBe(130);
  expect(answer.stderr).toBe(
    `ingot: stopped looking. web01 stays allocated. Look on: ingot machine wait ${MACHINE} --project ${project}\n` +
      `Give it back: ingot machine rm ${MACHINE}\n`,
  );
  expect((await plane.ingot('machine', 'ls', '--project', project, '--no-headers')).stdout).toContain(MACHINE);
});

test('Ctrl-C on a real terminal ends the display in order', { timeout: PATIENCE_MS }, async () => {
  // A terminal of its own, whose keys are our standard input.
  const words = [LAUNCHER, ...create].map((word) => `'${word}'`).join(' ');
  const line = `stty cols 100 rows 30; exec ${words}`;
  const shell = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    env: {
      PATH: '/usr/bin:/bin',
      TERM: 'xterm',
      INGOT_API_URL: plane.url,
      INGOT_API_CA_FILE: plane.plane.caFile,
      INGOT_API_TOKEN_FILE: plane.plane.adminTokenFile,
    },
  });
  let drawn = '';
  const press = new Promise<void>((resolve) => {
    shell.stdout.on('data', (chunk: Buffer) => {
      drawn += chunk.toString();
      if (drawn.includes('boot the installed system')) resolve();
    });
  });
  // Bounded, whatever becomes of the test.
  const bound = setTimeout(() => shell.kill('SIGKILL'), PATIENCE_MS / 2);
  const ended = new Promise<number | null>((resolve) => void shell.once('close', resolve));
  await Promise.race([press, ended]);
  shell.stdin.write('\u0003');
  await ended;
  clearTimeout(bound);
  expect(await ended, drawn).toBe(130);
  expect(drawn).toContain('stopped looking. web01 stays allocated');
  expect(drawn.lastIndexOf('\u001B[?25h')).toBeGreaterThan(drawn.lastIndexOf('\u001B[?25l'));
});

test('a crash ends the wait with its reason, and what comes after a crash goes on', async () => {
  const answer = await plane.ingotIn(
    stepping(report(Type.INSTALLING), report(Type.CRASHED, 'install: /dev/sda is gone')),
    ...create,
  );
  expect(answer.status).toBe(1);
  expect(answer.stderr).toContain(`machine ${MACHINE}: it crashed: install: /dev/sda is gone\nweb01 stays allocated.`);
  await sendEvent(plane, MACHINE, Type.PXE_BOOTING);
  const looking = await plane.ingotIn(stepping(), 'machine', 'wait', MACHINE, '--timeout', '4s');
  expect(looking.status).toBe(6);
  expect(looking.stderr).toContain('not done within 4s; its last word: PXE Booting');
});

test('a machine that is taken away meanwhile is said to be', async () => {
  const answer = await plane.ingotIn(
    stepping(() => plane.ingot('machine', 'rm', MACHINE)),
    ...create,
  );
  expect(answer.status).toBe(3);
  expect(answer.stderr).toContain(`has no machine ${MACHINE}`);
});

test('--no-wait ends at once, and what an allocation can have is given', async () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000 me';
  const keys = await plane.file(`# mine\n${key}\n`, 'keys');
  const answer = await plane.ingot(
    ...create,
    '--no-wait',
    '--hostname=web01',
    '--description=shop',
    '--label=tier=front',
    '--placement-label=cluster=shop',
    '--dns-server=10.0.0.53',
    '--dns-server=10.0.0.54',
    '--ntp-server=time.example.net',
    `--ssh-public-key=@${keys}`,
    '--userdata=#cloud-config',
    '--filesystem-layout=tmp',
  );
  expect(answer, answer.stderr).toMatchObject({ status: 0, stderr: '' });
  const { stdout } = await plane.ingot('machine', 'describe', 'web01', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({
    allocation: {
      name: 'web01',
      hostname: 'web01',
      description: 'shop',
      dnsServers: [{ ip: '10.0.0.53' }, { ip: '10.0.0.54' }],
      ntpServers: [{ address: 'time.example.net' }],
      sshPublicKeys: [key],
      userdata: Buffer.from('#cloud-config').toString('base64'),
      filesystemLayout: { id: 'tmp' },
    },
  });
});

test('firewall rules are read from a file, and wrong ones are refused before anything is asked', async () => {
  const wrong = await plane.file('egress: [{ ports: yes }]', 'rules.yaml');
  expect(await plane.ingot(...create, '--firewall-rules', wrong)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('has no firewall rules'),
  });
  expect((await plane.ingot(...create, '--userdata=@/nonexistent')).stderr).toContain('/nonexistent cannot be read');
  expect((await plane.ingot('machine', 'ls', '--project', project, '--no-headers')).stdout).toBe('');
});
