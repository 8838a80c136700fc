import { MockClock, MockNetwork, mockEntropy, systemClock } from '@ingot/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BmcSearch } from '../src/bmc/bmc.ts';
import { configureBmc } from '../src/bmc/configure-bmc.ts';
import { openRedfish } from '../src/bmc/redfish-http.ts';
import { readManager, setUpAccount } from '../src/bmc/redfish.ts';
import { Secret } from '../src/secret.ts';
import { openSysfs } from '../src/sysfs.ts';
import { FakeBmc, policyOfMetal } from './fake-bmc.ts';
import { RedfishMock } from './redfish-mock.ts';
import { plant } from './tree.ts';

const signal = new AbortController().signal;
const admin = { user: 'bootstrap', password: new Secret('given-by-ipmi') };
const metal = { user: 'metal', password: new Secret('Abcdefghijkmnpq2') };

let service: RedfishMock;
beforeEach(async () => {
  service = await new RedfishMock().start();
  service.accounts.set(1, { UserName: '', Password: '', RoleId: '', Enabled: false });
  service.accounts.set(2, { UserName: 'root', Password: 'calvin', RoleId: 'Administrator', Enabled: true });
  service.accounts.set(3, { UserName: 'bootstrap', Password: 'given-by-ipmi', RoleId: 'Administrator', Enabled: true });
});
afterEach(() => service[Symbol.asyncDispose]());

const open = (fingerprint?: string): ReturnType<typeof openRedfish> =>
  openRedfish({ host: '127.0.0.1', port: service.port, fingerprint }, { clock: systemClock, signal });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const named = (name: string): unknown => [...service.accounts.values()].filter(({ UserName }) => UserName === name);
const metalAsWanted = { UserName: 'metal', Password: metal.password.reveal(), RoleId: 'Administrator', Enabled: true };

test('the manager tells its firmware and its network interfaces', async () => {
  expect(await readManager(open(), admin)).toEqual({
    firmware: '1.74',
    interfaces: [
      { mac: '02:00:00:00:00:2b', ipv4: '' },
      { mac: '02:00:00:bb:00:65', ipv4: '10.0.0.101' },
    ],
  });
});

describe('an account', () => {
  test('is made, and nobody else is touched', async () => {
    const others = structuredClone([...service.accounts.values()]);
    await setUpAccount(open(), metal, admin);
    expect(named('metal')).toEqual([metalAsWanted]);
    expect([...service.accounts.values()].slice(0, 3)).toEqual(others);
  });

  test('that is there gets the new password, with the ETag that it had', async () => {
    service.accounts.set(4, { UserName: 'metal', Password: 'old', RoleId: 'ReadOnly', Enabled: false });
    await setUpAccount(open(), metal, admin);
    expect(named('metal')).toEqual([metalAsWanted]);
    expect(service.seen.some((line) => line.startsWith('POST'))).toBe(false);
  });

  test('takes a slot without a name where accounts cannot be made, but not the first', async () => {
    service.hasSlots = true;
    service.accounts.set(4, { UserName: '', Password: '', RoleId: '', Enabled: false });
    await setUpAccount(open(), metal, admin);
    expect(service.accounts.get(4)).toEqual(metalAsWanted);
    expect(service.accounts.get(1)?.UserName).toBe('');
  });

  test('without a free slot is refused', async () => {
    service.hasSlots = true;
    await expect(setUpAccount(open(), metal, admin)).rejects.toThrow('no free account for metal');
  });

  test('that the service took and does not let in is refused', async () => {
    service.fault = (method) => (method === 'POST' ? { status: 201 } : undefined);
    await expect(setUpAccount(open(), metal, admin)).rejects.toThrow('metal cannot log in afterwards: status 401');
  });
});

describe('a service', () => {
  test('with the expected certificate is talked to', async () => {
    await expect(readManager(open(hex(service.fingerprint)), admin)).resolves.toMatchObject({ firmware: '1.74' });
  });

  test('with another certificate gets no request at all', async () => {
    await expect(readManager(open('ab'.repeat(32)), admin)).rejects.toThrow('not the expected one');
    expect(service.seen).toEqual([]);
  });

  test.each([
    ['a link to another host', { Managers: { '@odata.id': 'https://elsewhere/redfish/v1/Managers' } }],
    ['a link out of the service', { Managers: { '@odata.id': '/redfish/v1/../../etc/passwd\r\nX: y' } }],
    ['no link', { Managers: 7 }],
  ])('with %s is refused', async (_name, body) => {
    service.fault = () => ({ status: 200, body });
    await expect(readManager(open(), admin)).rejects.toMatchObject({ code: 'bmc-failed' });
    expect(service.seen).toEqual(['GET /redfish/v1/']);
  });

  test('that says too much, or no JSON, is refused', async () => {
    service.fault = () => ({ status: 200, body: { Managers: 'x'.repeat(2 ** 20) } });
    await expect(readManager(open(), admin)).rejects.toThrow('more than 1048576 bytes');
    service.fault = () => ({ status: 200 });
    await expect(readManager(open(), admin)).rejects.toThrow('/redfish/v1/ is no JSON object');
  });

  test('that never answers is given up', async () => {
    service.fault = () => 'silence';
    const clock = new MockClock();
    const http = openRedfish({ host: '127.0.0.1', port: service.port, fingerprint: undefined }, { clock, signal });
    let failure: unknown;
    http.send('GET', '/redfish/v1/').catch((error: unknown) => (failure = error));
    await expect.poll(() => service.seen.length).toBe(1);
    await clock.advance(15_000);
    await expect.poll(() => failure).toMatchObject({ message: expect.stringContaining('no answer within 15000 ms') });
  });
});

/** SMBIOS with a Redfish host interface that gives accounts, at 127.0.0.1 and this port. */
function tables(port: number): Uint8Array {
  const device = [0x04, 0x11, 0x6b, 0x04, 0x10, 0xff, 0, 0x02, 0, 0, 0, 0, 0x2a, 0x01, 0, 0, 0];
  const record = Buffer.alloc(92);
  record[51] = 1;
  record.set([127, 0, 0, 1], 52);
  record.writeUInt16LE(port, 84);
  const body = [0x40, device.length, ...device, 1, 0x04, record.length, ...record];
  return Uint8Array.from([42, 4 + body.length, 0x11, 0x22, ...body, 0, 0]);
}

describe('a BMC without a free slot for IPMI', () => {
  async function configure(bmc: FakeBmc): Promise<Extract<BmcSearch, { kind: 'found' }>> {
    using machine = plant({ '/dev/ipmi0': '', '/sys/firmware/dmi/tables/DMI': tables(service.port) });
    const search = await configureBmc(
      {
        sysfs: openSysfs(machine.root),
        clock: systemClock,
        entropy: mockEntropy(1),
        signal,
        network: new MockNetwork({ clock: systemClock }).host('machine', '10.5.0.9/24'),
        openIpmi: () => bmc,
        superUserPassword: () => Promise.resolve(''),
      },
      policyOfMetal,
    );
    if (search.kind !== 'found') throw new Error(JSON.stringify(search));
    return search;
  }

  function fullBmc(fingerprint?: Uint8Array): FakeBmc {
    const bmc = new FakeBmc(2);
    bmc.redfish = { user: 'bootstrap', password: 'given-by-ipmi', ...(fingerprint && { fingerprint }) };
    return bmc;
  }

  test('gets its user by Redfish, with the account and the certificate that it tells its machine', async () => {
    const { bmc, problems } = await configure(fullBmc(service.fingerprint));
    expect(named('metal')).toEqual([{ ...metalAsWanted, Password: bmc.account?.password.reveal() }]);
    expect(problems.join('\n')).toContain(
      'no free slot for the user metal; remove one of ADMIN; the user metal was made',
    );
  });

  test('keeps its accounts from a service that is not its own', async () => {
    service.mac = '02:00:00:00:00:99';
    const { bmc, problems } = await configure(fullBmc());
    expect(bmc.account).toBeUndefined();
    expect(problems.join('\n')).toContain('manages another LAN than that of 02:00:00:bb:00:65');
    expect(named('metal')).toEqual([]);
  });

  test('has its account told to nobody with another certificate', async () => {
    const { bmc, problems } = await configure(fullBmc(new Uint8Array(32).fill(7)));
    expect(bmc.account).toBeUndefined();
    expect(problems.join('\n')).toContain('not the expected one');
    expect(service.seen).toEqual([]);
  });
});
