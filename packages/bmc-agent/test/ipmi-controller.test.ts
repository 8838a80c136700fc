import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { ipmiController } from '../src/ipmi/ipmi-controller.ts';
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
