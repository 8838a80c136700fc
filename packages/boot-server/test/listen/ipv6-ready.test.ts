import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { BootServerErrorCode } from '../../src/errors.ts';
import { ipv6Listens, ipv6Ready } from '../../src/listen/ipv6-ready.ts';
import { dhcp6Config } from '../support/dhcp6-client.ts';
import { httpConfig, testConfig, tftpConfig } from '../support/config.ts';

const OWN = '2001:db8::1';
const line = (flags: string): string =>
  `00000000000000000000000000000001 01 80 10 80       lo\n20010db8000000000000000000000001 02 40 00 ${flags}     eth0\n`;

/** Flags as they are from one look to the next; the last one stays. */
function waiting(flags: readonly string[], address = OWN) {
  const clock = new MockClock();
  const log = new MemoryLogger();
  let looks = 0;
  const read = (): string => line(flags[Math.min(looks++, flags.length - 1)] ?? '80');
  const stop = new AbortController();
  let ended = false;
  const ready = ipv6Ready([address], { clock, log, signal: stop.signal, read }).finally(() => (ended = true));
  return { clock, log, ready, stop, isEnded: () => ended, looks: () => looks };
}

describe('IPv6 addresses at the start', () => {
  it('are not waited for when they are ready, nor when there are none', async () => {
    const { ready, log } = waiting(['80']);
    await ready;
    expect(log.records).toEqual([]);
    const other = waiting(['40'], '2001:db8::2');
    await other.ready;
    const none = waiting(['40'], '10.0.0.1');
    await none.ready;
    expect(none.looks()).toBe(0);
  });

  it('are waited for while they are tentative, and that is said once', async () => {
    const { ready, clock, log, isEnded } = waiting(['c0', '40', 'c0', '80'], '2001:DB8:0::1%eth0');
    await clock.advance(400);
    expect(isEnded()).toBe(false);
    await clock.advance(200);
    await ready;
    expect(log.events('listen.tentative')).toHaveLength(1);
  });

  it('are waited for 10 s at most', async () => {
    const { ready, clock, log, isEnded } = waiting(['40']);
    await clock.advance(9_900);
    expect(isEnded()).toBe(false);
    await clock.advance(300);
    await ready;
    expect(log.events('listen.tentative').map(({ level }) => level)).toEqual(['info', 'warn']);
  });

  it('that another host has keep the server from starting, in words', async () => {
    const { ready } = waiting(['48']);
    await expect(ready).rejects.toMatchObject({
      code: BootServerErrorCode.ListenFailed,
      message: expect.stringMatching(/2001:db8::1 of eth0 belongs to another host/),
    });
  });

  it('are not waited for beyond a stop', async () => {
    const { ready, clock, stop } = waiting(['40']);
    await clock.advance(200);
    stop.abort(new Error('stopped'));
    await expect(ready).rejects.toThrow('stopped');
  });

  it('are those of all services', () => {
    const config = testConfig('/none', {
      dhcp6: dhcp6Config({ listen: ['2001:db8::1'] }),
      tftp: tftpConfig({ listen: ['10.0.0.1', 'fe80::1%eth0', 'eth1'] }),
      http: httpConfig({ listen: ['10.0.0.1:80', '[2001:db8::2]:80'] }),
    });
    expect(ipv6Listens(config)).toEqual(['2001:db8::1', 'fe80::1%eth0', '2001:db8::2']);
  });
});
