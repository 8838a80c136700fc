import { expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy, MockNetwork } from '@ingot/net';
import { macOfDhcpBytes, MessageType } from '@ingot/wire';
import { addressHolders } from '../../src/admission/address-holders.ts';
import { createAdmission } from '../../src/admission/admission.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { startPxeServer } from '../../src/pxe/server.ts';
import { openDatabase } from '../../src/store/database.ts';
import { groupCommit } from '../../src/store/group-commit.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { engine, macOf, SCRIPT, type EngineLab } from '../dhcp/engine-lab.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { CLIENTS, ip, MAC_1, message } from '../support/dhcp-messages.ts';

const SEEN_WITHIN_MS = 60_000;

/** 10.0.1.0/24 is leased here, 10.0.2.0/24 by another server. */
function lab(): EngineLab {
  const { dhcp } = testConfig('/none');
  const beside = subnetConfig('10.0.2', { mode: 'proxy', pool: undefined });
  return engine({ config: { dhcp: { ...dhcp, subnets: [subnetConfig('10.0.1'), beside] } } });
}

function discoverBeside(index: number): Uint8Array {
  return message(MessageType.DISCOVER, { mac: macOf(index), kind: CLIENTS.edk2, giaddr: ip('10.0.2.1') });
}

it('beside another server machines boot on while nothing can be written, and their scripts are admitted', () => {
  const { database, commits, clock, sightings, leases, receive, heard, log } = lab();
  database.exec('PRAGMA query_only = ON');
  receive(...[1, 2, 3].map(discoverBeside));
  receive(discoverBeside(1));
  expect(heard).toHaveLength(4);
  const gate = createAdmission({
    clock,
    sightings,
    holders: addressHolders(leases, undefined),
    seenWithinMs: SEEN_WITHIN_MS,
  });
  for (const index of [1, 2, 3])
    expect(gate.admitScript(macOf(index), undefined, '10.0.2.50')).toMatchObject({ ok: true });
  expect(gate.admitScript(macOf(4), undefined, '10.0.2.50')).toMatchObject({ reason: 'not-seen' });
  // Said once, and of each machine in its trace; the readiness check goes by what failed.
  expect(log.events('store.failed')).toEqual([
    expect.objectContaining({ level: 'error', msg: expect.stringContaining('dataDir has to be on a disk') }),
  ]);
  expect(log.events('sighting.unwritten').map(({ fields }) => fields['mac'])).toEqual([1, 2, 3, 1].map(macOf));
  expect(commits.failure?.message).toContain('readonly');
});

it('and are written down when they ask once there is room again', () => {
  const { database, commits, clock, receive } = lab();
  database.exec('PRAGMA query_only = ON');
  receive(discoverBeside(1));
  database.exec('PRAGMA query_only = OFF');
  receive(discoverBeside(1));
  expect(commits.failure).toBeUndefined();
  expect(sightingStore(database, clock).find(macOf(1))?.seenAt).toBe(clock.now());
});

it('a lease that cannot be written holds up no offer beside another server, and is not given', () => {
  const { database, receive, request, heard, leases, log } = lab();
  database.exec('PRAGMA query_only = ON');
  receive(discoverBeside(1), request(macOf(2), '10.0.1.100'));
  expect(heard.map(({ bytes }) => macOfDhcpBytes(bytes))).toEqual([macOf(1)]);
  expect(leases.leasesOf(macOf(2))).toEqual([]);
  expect(log.events('dhcp.dropped').map(({ fields }) => fields['mac'])).toEqual([macOf(2)]);
});

it('port 4011 answers while nothing can be written', async () => {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(7) });
  const database = openDatabase(':memory:');
  const commits = groupCommit(database);
  const sightings = sightingStore(database, clock, { commits });
  const server = await startPxeServer(
    {
      network: network.host('server', '10.0.0.1/24'),
      log: new MemoryLogger(),
      metrics: bootMetrics(createMetrics()),
      sightings,
      decide: () => SCRIPT,
      serverFor: () => ip('10.0.0.1'),
      macOf: () => undefined,
    },
    [{ address: '10.0.0.1' }],
  );
  onTestFinished(() => server.stop());
  const client = await network.host('client', '10.0.0.50/24').bindUdp({ address: '10.0.0.50', port: 4011 });
  let heard = 0;
  client.onDatagram(() => (heard += 1));
  database.exec('PRAGMA query_only = ON');
  const ask = message(MessageType.REQUEST, { mac: MAC_1, kind: CLIENTS.edk2, ciaddr: ip('10.0.0.50') });
  await client.send(ask, { address: '10.0.0.1', port: 4011 });
  await clock.advance(0);
  expect(heard).toBe(1);
  expect(sightings.find(MAC_1)?.seenAt).toBe(clock.now());
  expect(commits.failure?.message).toContain('readonly');
});
