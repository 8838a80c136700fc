import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { ipmiController } from '../src/ipmi/ipmi-controller.ts';
import { createIpmiKnowledge } from '../src/ipmi/ipmi-inspector.ts';
import type { IpmitoolResult } from '../src/ipmi/run-ipmitool.ts';
import { targetOf } from '../src/target.ts';

const bmc = (change: MessageInitShape<typeof apiV2.MachineBMCSchema> = {}): apiV2.MachineBMC =>
  create(apiV2.MachineBMCSchema, { address: '10.0.0.5:623', user: 'ADMIN', password: 'rack-secret-7', ...change });
const good: IpmitoolResult = { stdout: 'Chassis Power is on\n', stderr: '' };

/** A controller whose ipmitool answers by `answer`, and what it was run with. */
function rig(answer: (words: string) => IpmitoolResult, uefi = true) {
  const runs: { words: string; password: string; args: readonly string[] }[] = [];
  const controller = ipmiController(
    targetOf(bmc()),
    (args, password) => {
      const words = args.slice(args.indexOf('-C')).join(' ');
      runs.push({ words, password, args });
      return Promise.resolve(answer(words));
    },
    { uefi, signal: new AbortController().signal },
    createIpmiKnowledge(new MockClock()),
  );
  return { controller, runs };
}

describe('ipmitool', () => {
  test('gets the password by the environment, and never as an argument', async () => {
    const { controller, runs } = rig(() => good);
    expect(await controller.isOn()).toBe(true);
    await controller.power('off');
    expect(runs.map(({ words }) => words)).toEqual(['-C 17 chassis power status', '-C 17 chassis power off']);
    for (const { args, password } of runs) {
      expect(password).toBe('rack-secret-7');
      expect(args.join(' ')).not.toContain('rack-secret-7');
      expect(args).toEqual(expect.arrayContaining(['-H', '10.0.0.5', '-p', '623', '-U', 'ADMIN', '-E']));
    }
  });

  test('is asked for the boot device of UEFI or of the BIOS, also by a BMC that forgets it after a minute', async () => {
    const refuses = (words: string): IpmitoolResult =>
      words.includes('raw') ? { stdout: '', stderr: 'Unable to send RAW command', failure: 'ended with 1' } : good;
    const [uefi, bios] = [rig(refuses), rig(() => good, false)];
    await uefi.controller.bootNext('pxe');
    await bios.controller.bootNext('disk');
    expect(uefi.runs.at(-1)?.words).toBe('-C 17 chassis bootdev pxe options=efiboot');
    expect(bios.runs.map(({ words }) => words)).toEqual([
      '-C 17 raw 0x00 0x08 0x03 0x08',
      '-C 17 chassis bootdev disk',
    ]);
  });

  test('goes on with cipher suite 3 where a BMC does not have 17', async () => {
    const stderr = 'Error in open session response message : invalid authentication algorithm';
    const { controller, runs } = rig((words) =>
      words.startsWith('-C 17') ? { stdout: '', stderr, failure: 'ended with 1' } : good,
    );
    await controller.identify(true);
    await controller.identify(false);
    expect(runs.map(({ words }) => words)).toEqual([
      '-C 17 chassis identify force',
      '-C 3 chassis identify force',
      '-C 3 chassis identify 0',
    ]);
  });

  test('sends a reset once, whatever becomes of the answer, and the login before it again', async () => {
    const lost = 'Error: Unable to establish IPMI v2 / RMCP+ session';
    const unanswered = 'Unable to set Chassis Power Control to Reset\nClose Session command failed';
    const stderr = [lost, lost, unanswered];
    const { controller, runs } = rig(() => ({ stdout: '', stderr: stderr.shift() ?? '', failure: 'ended with 1' }));
    await expect(controller.power('reset')).rejects.toMatchObject({ code: 'BMC_UNKNOWN' });
    expect(runs.map(({ args }) => args.slice(args.indexOf('-R'), args.indexOf('-R') + 2))).toEqual(
      Array.from({ length: 3 }, () => ['-R', '1']),
    );
    const away = rig(() => ({ stdout: '', stderr: lost, failure: 'ended with 1' }));
    await expect(away.controller.power('cycle')).rejects.toMatchObject({ code: 'BMC_UNREACHABLE' });
    expect(away.runs).toHaveLength(3);
    const locked = rig(() => ({ stdout: '', stderr: `RAKP 2 HMAC is invalid\n${lost}`, failure: 'ended with 1' }));
    await expect(locked.controller.power('reset')).rejects.toMatchObject({ code: 'BMC_LOGIN' });
    expect(locked.runs).toHaveLength(1);
  });

  test.each([
    ['BMC_LOGIN', '> RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session'],
    ['BMC_LOGIN', 'RAKP 2 message indicates an error : unauthorized name\nError: Unable to establish session'],
    ['BMC_UNREACHABLE', 'Get Auth Capabilities error\nError: Unable to establish IPMI v2 / RMCP+ session'],
    ['BMC_REFUSED', 'Set Chassis Power Control to Down/Off failed: rack-secret-7 \u001B[2J'],
  ])('fails with %s, without the password', async (code, stderr) => {
    const { controller } = rig(() => ({ stdout: '', stderr, failure: 'ended with 1' }));
    const failed: unknown = await controller.power('off').catch((error: unknown) => error);
    expect(failed).toMatchObject({ code });
    expect(String(failed)).not.toContain('rack-secret-7');
    expect(String(failed)).not.toContain('\u001B');
  });

  test('that is not installed is named', async () => {
    const { controller } = rig(() => ({ stdout: '', stderr: '', failure: 'is not installed', isMissing: true }));
    await expect(controller.isOn()).rejects.toMatchObject({ code: 'BMC_IPMITOOL' });
  });
});

describe('a BMC is asked', () => {
  const answers = (special: Readonly<Record<string, string | undefined>>) => (words: string) => {
    const of = Object.entries(special).find(([asked]) => words.includes(asked));
    if (of?.[1] !== undefined) return { stdout: of[1], stderr: '' };
    return { stdout: '', stderr: `Unable to send "${words}": Invalid command`, failure: 'ended with 1' };
  };
  const chassis = { 'raw 0x00 0x01': ' 21 10 60 54\n' };

  test('for everything that it tells', async () => {
    const printed = {
      ...chassis,
      // DCMI 1.5, table 6-16: 220 W now, 18 to 438 W, 214 W in the middle of 60 s, measuring.
      'raw 0x2c 0x02': ' dc dc 00 12 00 b6 01 d6 00 00 00 00 00 60 ea 00\n 00 40\n',
      'mc info': 'Device ID : 32\nFirmware Revision         : 1.74\nIPMI Version : 2.0\n',
      'fru print 0': ' Board Mfg : Board: Co\n Board Serial : B\u001B[2J1\n Product Serial : \n Board Mfg : Other\n',
      'sdr type 0x08':
        'PSU1 | 85h | ok  | 10.1 | Presence detected\nPSU2 | 86h | ok  | 10.2 |\nP3 | 87h | ns | 10.3 | Disabled\n' +
        'P4 | 88h | ok | 10.4 |\nP5 | 89h | ok | 10.5 |\nP6 | 8Ah | ok | 10.6 |\n',
      '0x04 0x2d 0x85': ' 00 c0 01 80\n',
      '0x04 0x2d 0x86': ' 00 c0 09 80\n',
      '0x04 0x2d 0x87': ' 00 00 00 00\n',
      '0x04 0x2d 0x88': ' 00 c0 00 80\n',
      '0x04 0x2d 0x89': ' 00 c0 05 80\n',
      '0x04 0x2d 0x8a': ' 00 c0 81 80\n',
    };
    const { controller, runs } = rig(answers(printed));
    const facts = await controller.inspect();
    expect(facts).toEqual({
      isOn: true,
      isLit: true,
      version: '1.74',
      fru: { boardMfg: 'Board: Co', boardMfgSerial: 'B [2J1' },
      powerMetric: { minConsumedWatts: 18, maxConsumedWatts: 438, averageConsumedWatts: 214, intervalInMin: 1 },
      powerSupplies: [
        { health: 'OK', state: 'Enabled' },
        { health: 'Critical', state: 'Enabled' },
        { health: '', state: 'UnavailableOffline' },
        { health: '', state: 'Absent' },
        { health: 'Warning', state: 'Enabled' },
        { health: 'OK', state: 'StandbyOffline' },
      ],
      missing: [{ fact: 'biosVersion', reason: expect.stringContaining('Redfish') }],
    });
    const before = runs.length;
    expect(await controller.inspect()).toEqual(facts);
    // What only a screwdriver changes is not read again.
    expect(runs.slice(before).map(({ words }) => words.slice('-C 17 '.length).split(' ', 2).join(' '))).toEqual(
      Array.from({ length: 8 }, (_, at) => (at === 0 ? 'raw 0x00' : at === 1 ? 'raw 0x2c' : 'raw 0x04')),
    );
  });

  test('and tells why it does not know: once for what it refuses, and at once when it falls silent', async () => {
    const refusing = rig(answers(chassis));
    const facts = await refusing.controller.inspect();
    expect(facts).toMatchObject({ isOn: true, isLit: true });
    expect(facts.missing.map(({ fact }) => fact)).toEqual([
      'powerMetric',
      'version',
      'biosVersion',
      'fru',
      'powerSupplies',
    ]);
    const before = refusing.runs.length;
    expect((await refusing.controller.inspect()).missing).toEqual(facts.missing);
    expect(refusing.runs.length - before).toBe(2);

    const silent = rig((words) =>
      words.includes('raw 0x00 0x01')
        ? { stdout: ' 20 00 00\n', stderr: '' }
        : { stdout: '', stderr: 'Error: Unable to establish IPMI v2 / RMCP+ session', failure: 'ended with 1' },
    );
    const missing = (await silent.controller.inspect()).missing;
    expect(missing.map(({ fact }) => fact)).toContain('isLit');
    expect(silent.runs).toHaveLength(2);
  });

  test.each(['', ' zz\n', 'RAW RSP\n'])('and is an error when it answers the power state with %j', async (printed) => {
    const { controller } = rig(answers({ 'raw 0x00 0x01': printed }));
    await expect(controller.inspect()).rejects.toMatchObject({ code: 'BMC_ANSWER' });
  });
});

describe('what the API knows of a BMC', () => {
  test.each([
    [{ address: '10.0.0.5:623' }, { host: '10.0.0.5', port: 623, protocol: 'ipmi' }],
    [{ address: '[fd00::5]:6230' }, { host: 'fd00::5', port: 6230, protocol: 'ipmi' }],
    [{ address: 'bmc1.rack:443' }, { host: 'bmc1.rack', port: 443, protocol: 'redfish' }],
    [
      { address: '10.0.0.5:623', interface: 'redfish' },
      { host: '10.0.0.5', port: 443, protocol: 'redfish' },
    ],
  ])('%j is reached', (change, expected) => {
    expect(targetOf(bmc(change))).toMatchObject(expected);
  });

  test.each([
    { address: '' },
    { address: '10.0.0.5' },
    { address: '10.0.0.5:0' },
    { address: '-oProxy:623' },
    { address: '[::1;x]:623' },
    { address: 'a/b@c:623' },
    { user: '' },
    { password: '' },
    { password: 'a\u0000b' },
  ])('%j is refused', (change) => {
    expect(() => targetOf(bmc(change))).toThrow(expect.objectContaining({ code: 'BMC_ADDRESS' }));
  });
});
