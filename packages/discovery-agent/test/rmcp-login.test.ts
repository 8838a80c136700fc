import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { logIn } from '../src/bmc/rmcp-login.ts';
import type { Login } from '../src/bmc/rmcp-login.ts';
import { Secret } from '../src/secret.ts';
import { RmcpBmc } from './rmcp-bmc.ts';
import type { RmcpFault } from './rmcp-bmc.ts';

interface Setting {
  readonly user?: string;
  readonly password?: string;
  readonly algorithms?: readonly number[];
  readonly fault?: RmcpFault;
  readonly loss?: number;
}

/** Logs in at a BMC whose user is `metal`, over a network in memory. */
async function attempt(
  setting: Setting,
): Promise<{ readonly login: Login; readonly bmc: RmcpBmc; readonly tookMs: number }> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(3), loss: setting.loss ?? 0 });
  const socket = await network.host('bmc', '10.0.0.101/24').bindUdp({ address: '10.0.0.101', port: 623 });
  const bmc = new RmcpBmc({
    socket,
    user: 'metal',
    password: 'Abcdefghijkmnpqrst23',
    algorithms: setting.algorithms ?? [1, 3],
    ...(setting.fault && { fault: setting.fault }),
  });
  const parts = {
    network: network.host('machine', '10.0.0.9/24'),
    clock,
    entropy: mockEntropy(1),
    signal: new AbortController().signal,
  };
  const account = { user: setting.user ?? 'metal', password: new Secret(setting.password ?? 'Abcdefghijkmnpqrst23') };
  let login: Login | undefined;
  void logIn(parts, { address: '10.0.0.101', port: 623 }, account).then((result) => (login = result));
  await clock.advanceUntil(() => login !== undefined);
  await clock.advance(0);
  if (login === undefined) throw new Error('no end');
  return { login, bmc, tookMs: clock.monotonic() };
}

test.each([
  ['SHA-256', [3]],
  ['SHA-1, when it has nothing better', [1]],
  ['SHA-256, when it has both', [1, 3]],
])('by %s it logs in, and out again', async (_name, algorithms) => {
  const { login, bmc } = await attempt({ algorithms });
  expect(login).toEqual({ kind: 'accepted' });
  expect(bmc).toMatchObject({ opened: 1, closed: 1 });
});

test('a third of the packets may be lost', async () => {
  const { login } = await attempt({ loss: 0.3 });
  expect(login).toEqual({ kind: 'accepted' });
});

test.each<[string, Setting, Login]>([
  [
    'another password',
    { password: 'Abcdefghijkmnpqrst24' },
    { kind: 'refused', reason: 'the password is another one' },
  ],
  ['an unknown user', { user: 'root' }, { kind: 'refused', reason: 'it does not know this user' }],
  ['no cipher suite of ours', { algorithms: [2] }, { kind: 'unknown', reason: expect.stringContaining('17 and 3') }],
  ['no room for a session', { fault: 'full' }, { kind: 'unknown', reason: expect.stringContaining('no room') }],
  ['a code that is none', { fault: 'wrong-code' }, { kind: 'refused', reason: 'the password is another one' }],
  ['a wrong proof at the end', { fault: 'wrong-proof' }, { kind: 'unknown', reason: expect.stringContaining('proof') }],
  ['silence in the middle', { fault: 'silent-at-rakp-1' }, { kind: 'unknown', reason: 'no answer to RAKP 1' }],
  ['packets that are cut', { fault: 'cut' }, { kind: 'unknown', reason: 'no answer from 10.0.0.101' }],
])('%s is no login, and said', async (_name, setting, expected) => {
  const { login, tookMs } = await attempt(setting);
  expect(login).toEqual(expected);
  expect(tookMs).toBeLessThan(10_000);
});
