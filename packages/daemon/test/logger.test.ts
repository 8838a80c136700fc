import { MockClock } from '@ingot/net';
import { describe, expect, it } from 'vitest';
import { createLogger, MemoryLogger, Redactor, type Logger, type LogLevel } from '../src/index.ts';

const JWT = 'eyJhbGciOiJFUzUxMiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

function capture(
  level: LogLevel = 'info',
  secrets: readonly string[] = [],
): { log: Logger; lines: unknown[]; text: () => string } {
  const written: string[] = [];
  const lines: unknown[] = [];
  const output = {
    write: (line: string) => {
      written.push(line);
      lines.push(JSON.parse(line));
    },
  };
  const log = createLogger({
    part: 'boot-server',
    level,
    clock: new MockClock(),
    redactor: new Redactor(secrets),
    output,
  });
  return { log, lines, text: () => written.join('') };
}

describe('createLogger', () => {
  it('writes one JSON line with level, ISO time, part, fields and msg', () => {
    const { log, text } = capture();
    log.info({ mac: '52:54:00:00:00:01' }, 'offered');
    expect(text()).toBe(
      '{"level":"info","time":"2026-01-01T00:00:00.000Z","part":"boot-server","mac":"52:54:00:00:00:01","msg":"offered"}\n',
    );
  });

  it('writes nothing below its level', () => {
    const { log, lines } = capture('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines).toMatchObject([{ msg: 'c' }, { msg: 'd' }]);
  });

  it('adds the bindings of a child to each of its lines', () => {
    const { log, lines } = capture();
    log.child({ mac: 'a' }).child({ uuid: 'b' }).info({ event: 'x' }, 'y');
    expect(lines).toMatchObject([{ part: 'boot-server', mac: 'a', uuid: 'b', event: 'x' }]);
  });

  it('redacts what stands under a secret key, at every depth, and lets the file of a secret be named', () => {
    const { log, lines } = capture();
    log
      .child({ token: 'abc' })
      .info({ api: { adminPassword: 'xyz', tokenFile: '/run/token' }, list: [{ Authorization: 'Bearer q' }] }, 'm');
    expect(lines).toMatchObject([
      {
        token: '[redacted]',
        api: { adminPassword: '[redacted]', tokenFile: '/run/token' },
        list: [{ Authorization: '[redacted]' }],
      },
    ]);
  });

  it('redacts a secret value wherever it occurs, also where JSON escapes it', () => {
    const { log, text } = capture('info', ['correct "horse"']);
    log.error({ err: new Error('refused: correct "horse"') }, 'password correct "horse" is wrong');
    expect(text()).not.toContain('horse');
    expect(text()).toContain('password [redacted] is wrong');
  });

  it('redacts JSON web tokens and private keys by their shape', () => {
    const { log, text } = capture();
    log.info(
      { header: `Bearer ${JWT}`, pem: '-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n' },
      JWT,
    );
    expect(text()).not.toMatch(/eyJ|MHc/);
  });

  it('writes an error with its type, code, stack and cause', () => {
    const { log, lines } = capture();
    const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' });
    log.error({ err: new TypeError('cannot register', { cause }) }, 'm');
    expect(lines).toMatchObject([
      {
        err: {
          type: 'TypeError',
          message: 'cannot register',
          stack: expect.any(String),
          cause: { code: 'EHOSTUNREACH', message: 'no route' },
        },
      },
    ]);
  });

  it('survives what JSON cannot say', () => {
    const { log, lines } = capture();
    const circle: Record<string, unknown> = { big: 10n, bytes: new Uint8Array(3), when: new Date(0) };
    circle['self'] = circle;
    log.info({ circle }, 'm');
    expect(lines).toMatchObject([{ circle: { big: '10', bytes: '3 bytes', when: '1970-01-01T00:00:00.000Z' } }]);
  });
});

describe('MemoryLogger', () => {
  it('keeps the lines of all its children, with their bindings, in order', () => {
    const log = new MemoryLogger();
    const child = log.child({ mac: 'a' });
    child.info({ event: 'dhcp.offer' }, 'offered');
    log.warn({}, 'hm');
    expect(log.records).toEqual([
      { level: 'info', msg: 'offered', fields: { mac: 'a', event: 'dhcp.offer' } },
      { level: 'warn', msg: 'hm', fields: {} },
    ]);
    expect(log.events('dhcp.offer')).toHaveLength(1);
  });
});
