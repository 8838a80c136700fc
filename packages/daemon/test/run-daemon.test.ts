import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindUnixReceiver } from './unix-receiver.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures/daemon.ts');
const PASSWORD = 'correct horse battery';

interface Ended {
  readonly code: number | null;
  readonly lines: readonly Record<string, unknown>[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the fixture to its end; `onEvent` is called with every `event` it logs, and may send signals. */
function runFixture(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onEvent: (event: unknown, kill: (signal: NodeJS.Signals) => void, record: Record<string, unknown>) => void = () =>
    undefined,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [FIXTURE, ...argv], { env: { PATH: process.env['PATH'], ...env } });
    const lines: Record<string, unknown>[] = [];
    let [stdout, stderr, rest] = ['', '', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [unfinished = '', ...finished] = (rest + text).split('\n').toReversed();
      rest = unfinished;
      for (const line of finished.toReversed().filter((each) => each.startsWith('{'))) {
        const record: Record<string, unknown> = JSON.parse(line);
        lines.push(record);
        onEvent(record['event'], (signal) => void child.kill(signal), record);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, lines, stdout, stderr }));
  });
}

const eventsOf = ({ lines }: Ended): unknown[] => lines.map(({ event }) => event);

// Each case starts a process of its own, which takes seconds on a busy machine.
describe('runDaemon', { timeout: 60_000 }, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly at %s, in order, and exits with 0', async (signal) => {
    const ended = await runFixture([], {}, (event, kill) => {
      if (event === 'daemon.ready') kill(signal);
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(eventsOf(ended)).toEqual([
      'fixture.started',
      'daemon.ready',
      'daemon.stopping',
      'fixture.stop',
      'daemon.stopped',
    ]);
    expect(ended.lines).toContainEqual(expect.objectContaining({ event: 'fixture.stop', aborted: true }));
  });

  it('exits with 70 when the stop takes too long', async () => {
    const ended = await runFixture(['--misbehave', 'hang'], {}, (event, kill) => {
      if (event === 'daemon.ready') kill('SIGTERM');
    });
    expect(ended.code).toBe(70);
    expect(eventsOf(ended).at(-1)).toBe('daemon.stop-timeout');
  });

  it('exits at once at a second signal', async () => {
    const ended = await runFixture(['--misbehave', 'hang'], {}, (event, kill) => {
      if (event === 'daemon.ready' || event === 'fixture.stop') kill('SIGTERM');
    });
    expect(ended.code).toBe(70);
    expect(eventsOf(ended).at(-1)).toBe('daemon.killed');
  });

  it.each([
    ['throw', 'thrown by a callback'],
    ['reject', 'rejected by nobody'],
  ])('logs a bug (%s) with its stack, says it in words, and exits with 1', async (misbehave, words) => {
    const ended = await runFixture(['--misbehave', misbehave]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toBe(`ingot fixture: a bug: ${words}; the log has the details\n`);
    expect(ended.lines.at(-1)).toMatchObject({
      level: 'error',
      event: 'daemon.fault',
      err: { message: words, stack: expect.stringContaining('daemon.ts') },
    });
  });

  it('stops cleanly and exits with 69 when the daemon reports that it cannot go on', async () => {
    const ended = await runFixture(['--misbehave', 'fail']);
    expect(ended).toMatchObject({ code: 69, stderr: 'ingot fixture: the disk is gone; replace it\n' });
    expect(eventsOf(ended)).toContain('daemon.stopped');
  });

  it('says in one line why it cannot start, and exits with 69', async () => {
    const ended = await runFixture(['--misbehave', 'cannot-start']);
    expect(ended).toMatchObject({
      code: 69,
      stderr: 'ingot fixture: cannot bind 10.0.0.1:67: stop the other server\n',
    });
    expect(eventsOf(ended)).not.toContain('daemon.ready');
  });

  it('exits with 78 when the settings contradict each other, so that it is not started again and again', async () => {
    const ended = await runFixture(['--misbehave', 'wrong-config']);
    expect(ended).toMatchObject({ code: 78, stderr: 'ingot fixture: first and second contradict each other\n' });
  });

  it('says in one line what is wrong with a flag, and exits with 64', async () => {
    const ended = await runFixture(['--misbehaves', 'no']);
    expect(ended).toMatchObject({
      code: 64,
      stdout: '',
      stderr: '--misbehaves: unknown flag; did you mean --misbehave?\n',
    });
  });

  it('prints its help and exits with 0', async () => {
    const ended = await runFixture(['--help']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('--misbehave no|throw|reject|hang|fail|cannot-start|wrong-config');
  });

  it('keeps secrets out of the log', async () => {
    const ended = await runFixture([], { INGOT_FIXTURE_PASSWORD: PASSWORD }, (event, kill) => {
      if (event === 'daemon.ready') kill('SIGTERM');
    });
    expect(ended.stdout + ended.stderr).not.toContain(PASSWORD);
    expect(ended.lines[0]).toMatchObject({ given: '[redacted]', msg: 'started with [redacted]' });
  });

  it('serves its health and metrics while it runs', async () => {
    let listen = '';
    const answers: Promise<string>[] = [];
    const ask = async (path: string): Promise<string> => {
      const response = await fetch(`http://${listen}${path}`);
      return `${response.status} ${await response.text()}`;
    };
    const ended = await runFixture(['--metrics', '127.0.0.1:0'], {}, (event, kill, record) => {
      if (event === 'daemon.metrics') listen = String(record['listen']);
      if (event !== 'daemon.ready') return;
      answers.push(ask('/readyz'), ask('/metrics'));
      void Promise.allSettled(answers).then(() => kill('SIGTERM'));
    });
    expect(ended.code).toBe(0);
    const [ready, metrics] = await Promise.all(answers);
    expect(ready).toMatch(/^200 .*"ready"/);
    expect(metrics).toContain('process_cpu_seconds_total');
    expect(metrics).toContain('ingot_daemon_uptime_seconds');
  });

  it('tells systemd that it is ready, and later that it stops', async () => {
    const address = `@ingot-run-daemon-${process.pid}`;
    using receiver = bindUnixReceiver(address);
    const ended = await runFixture([], { NOTIFY_SOCKET: address, NODE_NO_WARNINGS: '1' }, (event, kill) => {
      if (event === 'daemon.ready') kill('SIGTERM');
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect([receiver.receive(), receiver.receive()]).toEqual(['READY=1', 'STOPPING=1']);
  });

  describe('with a file', () => {
    let folder: string;
    let file: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ingot-daemon-'));
      file = join(folder, 'fixture.yaml');
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('says in one line what is wrong with it, and exits with 78', async () => {
      await writeFile(file, 'misbehave: maybe\n');
      const ended = await runFixture(['--config', file]);
      expect(ended).toMatchObject({
        code: 78,
        stdout: '',
        stderr: `${file}:1:12: misbehave: found "maybe"; write one of no, throw, reject, hang, fail, cannot-start, wrong-config\n`,
      });
    });

    it('is read again at SIGHUP, and its new secrets are kept out of the log', async () => {
      await writeFile(file, 'misbehave: "no"\n');
      const ended = await runFixture(['--config', file], {}, (event, kill) => {
        if (event === 'daemon.ready') void writeFile(file, `password: ${PASSWORD}\n`).then(() => kill('SIGHUP'));
        if (event === 'daemon.reloaded') kill('SIGTERM');
      });
      expect(ended.code).toBe(0);
      expect(ended.lines).toContainEqual(expect.objectContaining({ event: 'fixture.reloaded', given: '[redacted]' }));
    });

    it('is refused at SIGHUP when it is wrong, with the line to mend, and the daemon goes on', async () => {
      await writeFile(file, 'misbehave: "no"\n');
      const ended = await runFixture(['--config', file], {}, (event, kill) => {
        if (event === 'daemon.ready') void writeFile(file, '# mine\nmisbehave: maybe\n').then(() => kill('SIGHUP'));
        if (event === 'daemon.reload-refused') kill('SIGTERM');
      });
      expect(ended.code).toBe(0);
      expect(eventsOf(ended)).not.toContain('fixture.reloaded');
      expect(ended.lines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          msg: expect.stringContaining(`and the old one goes on: ${file}:2:12: misbehave: found "maybe"`),
        }),
      );
    });

    it('is refused at SIGHUP when the daemon cannot go on with it', async () => {
      await writeFile(file, 'misbehave: "no"\n');
      const ended = await runFixture(['--config', file], {}, (event, kill) => {
        if (event === 'daemon.ready') void writeFile(file, 'misbehave: cannot-start\n').then(() => kill('SIGHUP'));
        if (event === 'daemon.reload-refused') kill('SIGTERM');
      });
      expect(ended.code).toBe(0);
      expect(ended.lines).toContainEqual(
        expect.objectContaining({ event: 'daemon.reload-refused', reason: '10.0.0.9 is none of our addresses' }),
      );
    });

    it('says at SIGHUP what counts only after a restart', async () => {
      await writeFile(file, 'misbehave: "no"\n');
      const ended = await runFixture(['--config', file], {}, (event, kill) => {
        if (event === 'daemon.ready')
          void writeFile(file, 'misbehave: hang\nlogLevel: debug\n').then(() => kill('SIGHUP'));
        if (event === 'daemon.reloaded') kill('SIGTERM');
      });
      expect(ended.code).toBe(0);
      expect(ended.lines).toContainEqual(
        expect.objectContaining({
          event: 'daemon.reloaded',
          level: 'warn',
          taken: ['password'],
          needsRestart: ['misbehave', 'logLevel'],
        }),
      );
    });

    it('prints its configuration without secrets, and exits with 0', async () => {
      await writeFile(file, `password: ${PASSWORD}\n`);
      const ended = await runFixture(['--config', file, '--print-config']);
      expect(ended).toMatchObject({
        code: 0,
        stdout: 'misbehave: no\npassword: "[redacted]"\nlogLevel: info\n',
        stderr: '',
      });
    });
  });
});
