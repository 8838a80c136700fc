import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { configure, found, passwordOf } from './configure-fake.ts';
import { FakeBmc } from './fake-bmc.ts';

describe('the user', () => {
  test('is made in a free slot, verified, and nobody else is touched', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(3), { name: 'monitoring', password: 'theirs', enabled: true, privilege: 2 });
    const others = structuredClone([1, 2, 3, 4].map((id) => bmc.user(id)));
    const run = await configure(bmc);
    // Supermicro: slot 10.
    expect(bmc.user(10)).toEqual({
      name: 'metal',
      password: passwordOf(run),
      size: 20,
      enabled: true,
      messaging: true,
      privilege: 4,
    });
    expect([1, 2, 3, 4].map((id) => bmc.user(id))).toEqual(others);
    expect(passwordOf(run)).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{20}$/);
  });

  test('is found by name wherever it is, and gets a new password each time', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(7), { name: 'metal', password: 'old' });
    const first = passwordOf(await configure(bmc, { seed: 1 }));
    const second = passwordOf(await configure(bmc, { seed: 2 }));
    expect(second).not.toBe(first);
    expect(bmc.user(7).password).toBe(second);
    expect(bmc.user(10).name).toBe('');
    expect(bmc.asked).not.toContain('Set User Name');
  });

  test('takes the next free slot when the vendor’s is taken, never 1, a fixed or an anonymous one', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(10), { name: 'someone' });
    bmc.fixedNames = 3;
    Object.assign(bmc.user(4), { enabled: true, messaging: true, privilege: 4 });
    await configure(bmc);
    expect(bmc.users.map(({ name }) => name).indexOf('metal') + 1).toBe(5);
    expect(bmc.user(10).name).toBe('someone');
  });

  test('is not made when all slots are taken: that is said, and the BMC registered without', async () => {
    const bmc = new FakeBmc(4);
    for (const id of [3, 4]) Object.assign(bmc.user(id), { name: `user${id}`, enabled: true });
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account).toBeUndefined();
    expect(problems).toContain('no free slot for the user metal; remove one of ADMIN, user3, user4');
    await expect(configure(bmc, { policy: { required: true } })).rejects.toThrow('no free slot');
  });

  test('has 16 characters where the BMC takes no 20', async () => {
    const bmc = new FakeBmc();
    bmc.passwordSizes = [16];
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(bmc.user(10)).toMatchObject({ password: passwordOf(run), size: 16 });
  });

  test('has 16 characters where the BMC takes 20 and compares 16', async () => {
    const bmc = new FakeBmc();
    bmc.compares = 16;
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(bmc.user(10)).toMatchObject({ password: passwordOf(run), size: 16 });
    expect(found(run).problems).toHaveLength(1);
  });

  test('has 16 characters, and is said to be unverified, where the BMC calls every password right', async () => {
    const bmc = new FakeBmc();
    bmc.compares = 0;
    const run = await configure(bmc);
    expect(passwordOf(run)).toHaveLength(16);
    expect(found(run).problems.join('\n')).toContain(
      'the password of metal is not verified: no answer from 10.0.0.101',
    );
  });

  test('has 16 characters in the form of 20 bytes on a Lenovo that cannot test them', async () => {
    const bmc = new FakeBmc();
    bmc.deviceId = [0x20, 0x81, 0x01, 0x74, 0x02, 0x9f, 0x66, 0x4a, 0x00, 0x21, 0x0b];
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Password' && operation === 3 ? { code: 0xc1 } : undefined;
    const run = await configure(bmc);
    expect(bmc.user(3)).toMatchObject({ name: 'metal', password: passwordOf(run), size: 20 });
    expect(passwordOf(run)).toHaveLength(16);
  });

  test('is not registered when the BMC took a password and kept another', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }, [, operation]) => (name === 'Set User Password' && operation === 2 ? [] : undefined);
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account).toBeUndefined();
    expect(problems).toContain('nobody can log in as metal: the BMC took a password and has another one now');
  });

  test('is not registered when it is no administrator in the end', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }) => (name === 'Set User Access' ? [] : undefined);
    expect(found(await configure(bmc)).problems).toContain(
      'the user metal in slot 10 may not use IPMI over the LAN after it was set up',
    );
  });

  test('is registered when the BMC cannot test passwords or has no serial console, and both are said', async () => {
    const bmc = new FakeBmc();
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Payload Access' || (name === 'Set User Password' && operation === 3)
        ? { code: 0xc1 }
        : undefined;
    const { bmc: registered, problems } = found(await configure(bmc));
    expect(registered.account?.user).toBe('metal');
    expect(problems.join('\n')).toContain(
      'is not verified: no answer from 10.0.0.101, and the BMC cannot test passwords',
    );
    expect(problems.join('\n')).toContain('no serial console over LAN');
  });

  test('is left alone, and so is the superuser, where policy says so', async () => {
    const bmc = new FakeBmc();
    const before = structuredClone(bmc.users);
    const run = await configure(bmc, { policy: { userName: undefined }, superUserPassword: 'sesame-open' });
    expect(found(run).bmc.account).toBeUndefined();
    expect(bmc.users).toEqual(before);
  });

  test('has a password that no text of the result shows', async () => {
    const run = await configure(new FakeBmc());
    const { bmc } = found(run);
    const texts = [JSON.stringify(run.result), String(bmc.account?.password), inspect(bmc)];
    for (const text of texts) expect(text).not.toContain(passwordOf(run));
  });
});

describe('the superuser', () => {
  test('is made with the operator’s password', async () => {
    const bmc = new FakeBmc();
    expect(found(await configure(bmc, { superUserPassword: 'sesame-open' })).problems).toHaveLength(1);
    expect(bmc.user(4)).toMatchObject({ name: 'root', password: 'sesame-open', size: 16, enabled: true, privilege: 4 });
  });

  test('gets it also on a BMC that cannot say whether it needs one', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(4), { name: 'root', password: 'old' });
    bmc.fault = ({ name }, [, operation]) =>
      name === 'Set User Password' && operation === 3 ? { code: 0xc1 } : undefined;
    await configure(bmc, { superUserPassword: 'sesame-open' });
    expect(bmc.user(4).password).toBe('sesame-open');
  });

  test('keeps it when it is that already, whatever its length', async () => {
    const bmc = new FakeBmc();
    Object.assign(bmc.user(5), { name: 'root', password: 'sesame-open', size: 20, enabled: false });
    const set: number[] = [];
    bmc.fault = ({ name }, [id = 0, operation]) => {
      if (name === 'Set User Password' && operation === 2) set.push(id & 0x3f);
      return undefined;
    };
    await configure(bmc, { superUserPassword: 'sesame-open' });
    expect(set).toEqual([10]);
    expect(bmc.user(5)).toMatchObject({ enabled: true, messaging: true, privilege: 4 });
  });

  test('is left out when the API gives no password', async () => {
    const bmc = new FakeBmc();
    await configure(bmc);
    expect(bmc.users.map(({ name }) => name)).not.toContain('root');
  });

  test.each([
    [
      'does not answer',
      (signal: AbortSignal) =>
        new Promise<string>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      /10 s/,
    ],
    ['is away', () => Promise.reject(new Error('connect ECONNREFUSED')), /ECONNREFUSED/],
  ])('is left as it is while the API %s, which is no fault of a required BMC', async (_what, ask, reason) => {
    const bmc = new FakeBmc();
    const run = await configure(bmc, { askSuperUserPassword: ask, policy: { required: true } });
    expect(found(run).bmc.account?.user).toBe('metal');
    expect(found(run).problems.join()).toMatch(
      /the superuser is left as it is, since the API does not say its password/,
    );
    expect(found(run).problems.join()).toMatch(reason);
    expect(bmc.users.some(({ name }) => name === 'root')).toBe(false);
  });

  test('is refused a password that IPMI cannot hold', async () => {
    const { problems } = found(await configure(new FakeBmc(), { superUserPassword: 'x'.repeat(21) }));
    expect(problems.join('\n')).toContain('longer than the 20 bytes');
    expect(problems.join('\n')).not.toContain('xxx');
  });
});
