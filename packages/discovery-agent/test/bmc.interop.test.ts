import { mockEntropy, systemClock, systemEntropy } from '@ingot/net';
import type { Network } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bmc, BmcSearch } from '../src/bmc/bmc.ts';
import { configureBmc } from '../src/bmc/configure-bmc.ts';
import { logIn } from '../src/bmc/rmcp-login.ts';
import type { Login } from '../src/bmc/rmcp-login.ts';
import { Secret } from '../src/secret.ts';
import { openSysfs } from '../src/sysfs.ts';
import { policyOfMetal } from './fake-bmc.ts';
import { fruImage } from './fru-image.ts';
import { networkOf, openInBand, startIpmiSim } from './ipmi-sim.ts';
import type { IpmiSim } from './ipmi-sim.ts';
import { plant } from './tree.ts';

const fru = fruImage({
  chassis: ['CSE-116', 'C1160A'],
  board: ['Supermicro', 'H12SSW-NT', 'WM21CS600123', 'H12SSW-NT'],
  product: ['Supermicro', 'AS -1114S', 'AS -1114S-WN10RT', '1.0', 'S432871X1A11234'],
});

let sim: IpmiSim;
beforeAll(async () => {
  sim = await startIpmiSim(fru);
});
afterAll(() => sim[Symbol.asyncDispose]());

async function configure(
  seed: number,
  superUserPassword: string,
  network: Network,
): Promise<Extract<BmcSearch, { kind: 'found' }>> {
  using machine = plant({ '/dev/ipmi0': '' });
  const ipmi = await openInBand(sim);
  const search = await configureBmc(
    {
      sysfs: openSysfs(machine.root),
      clock: systemClock,
      entropy: mockEntropy(seed),
      signal: new AbortController().signal,
      network,
      openIpmi: () => ipmi,
      superUserPassword: () => Promise.resolve(superUserPassword),
    },
    policyOfMetal,
  );
  if (search.kind !== 'found') throw new Error(JSON.stringify(search));
  return search;
}

const passwordOf = ({ bmc }: { readonly bmc: Bmc }): string => bmc.account?.password.reveal() ?? '';
const noSerialConsole = expect.stringContaining('no serial console over LAN');

test('OpenIPMI’s BMC is read, its users are made, and each of them logs in from outside', async () => {
  const found = await configure(1, 'sesame-open', networkOf(sim, '10.7.7.7'));
  expect(found.bmc).toMatchObject({
    address: '10.7.7.7:623',
    mac: '02:00:00:bb:00:65',
    interface: 'lanplus',
    version: '1.74',
    powerState: 'ON',
    fru: {
      chassisPartNumber: 'CSE-116',
      chassisPartSerial: 'C1160A',
      boardMfg: 'Supermicro',
      boardMfgSerial: 'WM21CS600123',
      boardPartNumber: 'H12SSW-NT',
      productManufacturer: 'Supermicro',
      productPartNumber: 'AS -1114S-WN10RT',
      productSerial: 'S432871X1A11234',
    },
  });
  // The second opinion on what was read.
  expect(await sim.ipmitool(sim.factory, 'fru', 'print', '0')).toContain('Product Serial        : S432871X1A11234');
  const users = await sim.ipmitool({ user: 'metal', password: passwordOf(found) }, 'user', 'list', '1');
  expect(users).toMatch(/^2 +ADMIN .*ADMINISTRATOR$/m);
  expect(users).toMatch(/^4 +root .*ADMINISTRATOR$/m);
  expect(users).toMatch(/^10 +metal .*ADMINISTRATOR$/m);
  await sim.ipmitool({ user: 'root', password: 'sesame-open' }, 'mc', 'info');
  await sim.ipmitool(sim.factory, 'mc', 'info');
  // It takes passwords of 20 bytes and logs in with 16 of them: only the login finds that out. It has no SOL for users.
  expect(passwordOf(found)).toHaveLength(16);
  expect(found.problems).toEqual([noSerialConsole, noSerialConsole]);
});

test('where its LAN cannot be reached, the password is one that it keeps, and said to be unverified', async () => {
  const nowhere = networkOf({ ...sim, port: 9 }, '10.7.7.7');
  const found = await configure(2, '', nowhere);
  expect(found.problems).toEqual([noSerialConsole, expect.stringContaining('the password of metal is not verified')]);
  await sim.ipmitool({ user: 'metal', password: passwordOf(found) }, 'mc', 'info');
});

test('the password of the boot before lets nobody in any more', async () => {
  const first = passwordOf(await configure(3, '', networkOf(sim, '10.7.7.7')));
  const second = passwordOf(await configure(4, '', networkOf(sim, '10.7.7.7')));
  await sim.ipmitool({ user: 'metal', password: second }, 'mc', 'info');
  await expect(sim.ipmitool({ user: 'metal', password: first }, 'mc', 'info')).rejects.toThrow('session');
});

test('a login tells a wrong password from an unknown user, and both from a BMC that is not there', async () => {
  const parts = {
    network: networkOf(sim, '10.7.7.7'),
    clock: systemClock,
    entropy: systemEntropy,
    signal: new AbortController().signal,
  };
  const target = { address: '10.7.7.7', port: 623 };
  const attempt = (user: string, password: string): Promise<Login> =>
    logIn(parts, target, { user, password: new Secret(password) });
  const { user, password } = sim.factory;
  // More than the ten sessions that it allows a user: each login is followed by a logout.
  for (let count = 0; count < 12; count++) expect(await attempt(user, password)).toEqual({ kind: 'accepted' });
  expect(await attempt(user, 'guess')).toEqual({ kind: 'refused', reason: 'the password is another one' });
  expect(await attempt('nobody', password)).toEqual({ kind: 'refused', reason: 'it does not know this user' });
  const elsewhere = { ...parts, network: networkOf({ ...sim, port: 9 }, '10.7.7.7') };
  expect(await logIn(elsewhere, target, { user, password: new Secret(password) })).toMatchObject({ kind: 'unknown' });
});
