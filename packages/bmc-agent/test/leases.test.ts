import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCandidates } from '../src/candidates.ts';
import { bmcAgentConfig } from '../src/config.ts';
import { DhcpdLeases } from '../src/leases/dhcpd-leases.ts';
import { LeaseTable } from '../src/leases/lease.ts';
import { createLeaseBook } from '../src/leases/lease-book.ts';
import { readLeases, type LeaseFile } from '../src/leases/read-leases.ts';
import { targetOf } from '../src/target.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-leases-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const signal = new AbortController().signal;
const mac = (last: number): string => `02:00:00:bb:00:${last.toString(16).padStart(2, '0')}`;

async function read(format: LeaseFile['format'], text: string): Promise<string[]> {
  const file = join(directory, 'leases');
  await writeFile(file, text);
  return (await readLeases({ file, format }, signal)).leases.map((lease) => `${lease.address} ${lease.mac}`);
}

/** As dhcpd writes it. */
const dhcpd = (address: string, last: number, state = 'active', ends = '6 2026/11/21 16:20:02'): string => `
lease ${address} {
  starts 6 2026/11/21 16:10:02;
  ends ${ends};
  cltt 6 2026/11/21 16:10:02;
  binding state ${state};
  next binding state free;
  rewind binding state free;
  hardware ethernet ${mac(last)};
  uid "\\001\\"}\\002{ ;#";
  set vendor-class-identifier = "udhcp 1.35.0";
  on expiry or release {
    set x = "1";
  }
  client-hostname "lease 10.0.0.9 {";
}
`;
const DHCPD_HEAD = `# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001{";
failover peer "a" state {
  my state normal at 1 2026/11/16 00:00:00;
}
`;
const KEA_HEAD =
  'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n';
/** As Kea writes it. */
const kea = (address: string, last: number, state = 0, lifetime = 600, expire = 1_795_278_004): string =>
  `${address},${mac(last)},01:02:00:00:bb:00:65,${lifetime},${expire},1,0,0,b&#x2cmc,${state},\n`;

describe('dhcpd.leases', () => {
  test('is read: the last entry of an address wins, and only what is given out counts', async () => {
    const text = [
      DHCPD_HEAD,
      dhcpd('10.0.0.1', 1),
      dhcpd('10.0.0.2', 2),
      dhcpd('10.0.0.3', 3, 'abandoned'),
      dhcpd('10.0.0.4', 4, 'backup'),
      dhcpd('10.0.0.1', 5),
      dhcpd('10.0.0.2', 2, 'free'),
      dhcpd('10.0.0.6', 6, 'active', 'never'),
      dhcpd('10.0.0.7', 7, 'active', 'epoch 1795278004; # Sat Nov 21'),
      dhcpd('10.0.0.8;x', 8),
      'lease 10.0.0.9 { hardware fddi 02:00:00:bb:00:09; binding state active; }\n',
    ].join('');
    expect(await read('dhcpd', text)).toEqual([`10.0.0.1 ${mac(5)}`, `10.0.0.6 ${mac(6)}`, `10.0.0.7 ${mac(7)}`]);
  });

  test('is read up to what dhcpd is writing, and past what is broken', async () => {
    const whole = `${dhcpd('10.0.0.1', 1)}${dhcpd('10.0.0.2', 2)}`;
    for (let length = 0; length <= whole.length; length += 1) {
      const [table, parser] = [new LeaseTable(), new DhcpdLeases()];
      for (const line of whole.slice(0, length).split('\n').slice(0, -1))
        for (const entry of parser.line(line)) table.add(entry);
      const found = table.leases().map((lease) => `${lease.address} ${lease.mac}`);
      expect([[], [`10.0.0.1 ${mac(1)}`], [`10.0.0.1 ${mac(1)}`, `10.0.0.2 ${mac(2)}`]]).toContainEqual(found);
    }
    const broken = `lease 10.0.0.5 {\n  on expiry {{{{\n${'x'.repeat(1_000_000)}\n{{{\u0000\uFFFF"`;
    expect(await read('dhcpd', `${broken}\n${whole}`)).toEqual([`10.0.0.1 ${mac(1)}`, `10.0.0.2 ${mac(2)}`]);
  });
});

describe("Kea's CSV", () => {
  test('is read, by the names of its columns', async () => {
    const text = [
      KEA_HEAD,
      kea('10.0.0.1', 1),
      kea('10.0.0.2', 2),
      kea('10.0.0.3', 3, 1),
      kea('10.0.0.4', 4, 2),
      kea('10.0.0.1', 5),
      kea('10.0.0.2', 2, 0, 0),
      kea('10.0.0.6', 6, 0, 4_294_967_295),
      '10.0.0.7,02:00:00:bb:00:07,,600,179527',
    ].join('');
    expect(await read('kea', text)).toEqual([`10.0.0.1 ${mac(5)}`, `10.0.0.6 ${mac(6)}`]);
    const six =
      'address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context\n' +
      `2001:db8::5,00:01:00:01,600,1795278004,1,300,0,1,128,0,0,,${mac(8)},0,\n`;
    expect(await read('kea', six)).toEqual([`2001:db8::5 ${mac(8)}`]);
    await expect(read('kea', dhcpd('10.0.0.1', 1))).rejects.toMatchObject({ code: 'BMC_LEASES' });
  });

  test('is read with what a clean-up has left or works on, as Kea itself does', async () => {
    const file = join(directory, 'kea.csv');
    const addresses = async (): Promise<string[]> =>
      (await readLeases({ file, format: 'kea' }, signal)).leases.map((lease) => `${lease.address} ${lease.mac}`);
    await writeFile(`${file}.2`, KEA_HEAD + kea('10.0.0.1', 1) + kea('10.0.0.2', 2));
    await writeFile(`${file}.1`, KEA_HEAD + kea('10.0.0.2', 3));
    expect(await addresses()).toEqual([`10.0.0.1 ${mac(1)}`, `10.0.0.2 ${mac(3)}`]);
    await writeFile(file, KEA_HEAD + kea('10.0.0.1', 4));
    expect(await addresses()).toEqual([`10.0.0.2 ${mac(3)}`, `10.0.0.1 ${mac(4)}`]);
    await writeFile(`${file}.completed`, KEA_HEAD + kea('10.0.0.7', 7));
    expect(await addresses()).toEqual([`10.0.0.7 ${mac(7)}`, `10.0.0.1 ${mac(4)}`]);
  });
});

test('a bit that flips in a file of leases makes no other file of it, and no failure', async () => {
  const good = new Set([`10.0.0.1 ${mac(1)}`, `10.0.0.2 ${mac(2)}`]);
  for (const [format, text] of [
    ['dhcpd', dhcpd('10.0.0.1', 1) + dhcpd('10.0.0.2', 2)],
    ['kea', kea('10.0.0.1', 1) + kea('10.0.0.2', 2)],
  ] as const) {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const found = await read(format, (format === 'kea' ? KEA_HEAD : '') + flipped.toString('latin1'));
      // One entry at most is hit; the other one is as it was.
      expect(found.filter((lease) => good.has(lease)).length).toBeGreaterThanOrEqual(1);
    }
  }
});

test('too many leases are bounded, and said', async () => {
  const lines = Array.from({ length: 66_000 }, (_, at) => kea(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 1));
  const file = join(directory, 'leases');
  await writeFile(file, KEA_HEAD + lines.join(''));
  const { leases, left } = await readLeases({ file, format: 'kea' }, signal);
  expect([leases.length, left]).toEqual([65_536, '464 leases']);
});

test("the boot server's own leases are read from its database", async () => {
  const file = join(directory, 'boot-server.sqlite');
  const database = new DatabaseSync(file);
  database.exec(
    'CREATE TABLE lease (address INTEGER PRIMARY KEY, mac TEXT, uuid TEXT, state TEXT, expires_at INTEGER)',
  );
  const insert = database.prepare('INSERT INTO lease VALUES (?, ?, NULL, ?, ?)');
  insert.run(0xc0a80105, mac(5), 'bound', 1_795_278_004_000);
  insert.run(0xc0a80106, mac(6), 'declined', 1_795_278_004_000);
  const { leases } = await readLeases({ file, format: 'ingot' }, signal);
  database.close();
  expect(leases).toEqual([{ address: '192.168.1.5', mac: mac(5), expiresMs: 1_795_278_004_000 }]);
  await expect(readLeases({ file: join(directory, 'none'), format: 'ingot' }, signal)).rejects.toMatchObject({
    code: 'BMC_LEASES',
  });
});

describe('the book of leases', () => {
  const NOW_MS = Date.UTC(2026, 10, 21, 16, 15);
  const rig = (file: string, networks: readonly string[] = []) => {
    const clock = new MockClock({ nowMs: NOW_MS });
    const log = new MemoryLogger();
    const book = createLeaseBook({ files: [{ file, format: 'dhcpd' }], networks, clock, log, signal });
    return { clock, log, book };
  };

  test('follows a BMC by its MAC address, through files that grow, shrink and are replaced', async () => {
    const file = join(directory, 'dhcpd.leases');
    await writeFile(file, dhcpd('10.0.0.1', 1));
    const { clock, log, book } = rig(file);
    const where = async (): Promise<string> => {
      await clock.advance(16_000);
      return book.follow({ address: '192.0.2.1:6230', mac: mac(1).toUpperCase() });
    };
    expect(await where()).toBe('10.0.0.1:6230');
    await appendFile(file, dhcpd('10.0.0.2', 1, 'active', '6 2026/11/21 16:21:02'));
    expect(await where()).toBe('10.0.0.2:6230');
    await writeFile(`${file}.new`, dhcpd('10.0.0.3', 1));
    await rename(`${file}.new`, file);
    expect(await where()).toBe('10.0.0.3:6230');
    await rm(file);
    expect([await where(), await where()]).toEqual(['10.0.0.3:6230', '10.0.0.3:6230']);
    expect(log.records.filter(({ msg }) => msg === 'leases are not read')).toHaveLength(1);
    await writeFile(file, dhcpd('10.0.0.4', 1));
    await truncate(file, 100);
    expect(await where()).toBe('192.0.2.1:6230');
    await writeFile(file, dhcpd('10.0.0.4', 1));
    expect(await where()).toBe('10.0.0.4:6230');
    await clock.advance(600_000);
    // The lease is over.
    expect(await where()).toBe('192.0.2.1:6230');
    expect(await book.follow({ address: '192.0.2.1:623', mac: '' })).toBe('192.0.2.1:623');
  });

  test('says whom to ask: the inventory where its BMCs are, and in the networks of BMCs all others', async () => {
    const file = join(directory, 'dhcpd.leases');
    await writeFile(file, [1, 2, 3].map((last) => dhcpd(`10.0.0.${last}`, last)).join('') + dhcpd('10.9.0.4', 4));
    const { book } = rig(file, ['10.0.0.0/24', '2001:db8::/64']);
    const covered = ['10.0.0.1:443', '[2001:db8::1]:623', '10.0.1.1:443', '[2001:db9::1]:623', 'bmc1.rack:443', ''];
    expect(covered.map((address) => book.covers(address))).toEqual([true, true, false, false, false, false]);
    const machine = { uuid: 'aaaaaaaa-0000-4000-8000-00000000000a', user: 'own', password: 'own-secret-1' };
    const candidates = await readCandidates({
      inventory: () =>
        Promise.resolve([{ ...machine, address: ':623', mac: mac(2).toUpperCase(), interface: 'lanplus' as const }]),
      book,
      common: () => Promise.resolve({ user: 'all', password: 'all-secret-2' }),
      port: 443,
    });
    expect(candidates.map(({ uuid, login, told }) => [uuid, login.address, login.user, told])).toEqual([
      [machine.uuid, '10.0.0.2:623', 'own', expect.objectContaining({ address: '10.0.0.2:623', user: 'own' })],
      // The login of all BMCs is not told.
      [undefined, '10.0.0.1:443', 'all', { address: '10.0.0.1:623', mac: mac(1) }],
      [undefined, '10.0.0.3:443', 'all', { address: '10.0.0.3:623', mac: mac(3) }],
    ]);
  });
});

test('the login of all BMCs serves those that the API has none for, by Redfish', () => {
  const bmc = { address: '10.0.0.5:623', user: '', password: '', interface: '' };
  const common = { user: 'all', password: 'all-secret-2' };
  expect(targetOf(bmc, common)).toMatchObject({ user: 'all', protocol: 'redfish', port: 443 });
  expect(targetOf({ ...bmc, user: 'own', password: 'x' }, common)).toMatchObject({ user: 'own', protocol: 'ipmi' });
});

test.each([
  [{ user: 'all' }, /go together/],
  [{ user: 'all', passwordFile: '/etc/x' }, /name the networks/],
  [{ networks: ['10.0.0.0/33'] }, /a prefix such as/],
  [{ files: [{ file: 'dhcpd.leases', format: 'dhcpd' }] }, /leases/],
])('leases: %j is refused', (leases, message) => {
  const api = { url: 'https://10.0.0.1:9443', caFile: '/ca', tokenFile: '/token' };
  const parsed = bmcAgentConfig.parse({ partition: 'lab', api, leases });
  expect(parsed.success ? '' : parsed.error.message).toMatch(message);
});
