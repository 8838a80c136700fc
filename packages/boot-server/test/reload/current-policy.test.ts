import { expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { bytesOfIpv4, Dhcp6MessageType, ipv4ToNumber, MessageType } from '@ingot/wire';
import type { BootServerConfig } from '../../src/config.ts';
import { forgottenDebugKeys } from '../../src/debug-key/debug-keys.ts';
import type { BootDecision } from '../../src/decide/decision.ts';
import { loaderFetches } from '../../src/decide/loader-fetches.ts';
import { subjectMemory } from '../../src/decide/subject-memory.ts';
import { createPolicy, type Policy, type PolicyStores } from '../../src/policy.ts';
import { currentPolicy } from '../../src/reload/current-policy.ts';
import { bootStore } from '../../src/store/boots.ts';
import { openDatabase } from '../../src/store/database.ts';
import { leaseStore } from '../../src/store/leases.ts';
import { lease6Store } from '../../src/store/leases6.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import {
  clientId,
  dhcp6Config,
  EDK2_PXE,
  iaNa,
  message6,
  readReply6,
  relayed6,
  subnet6Config,
} from '../support/dhcp6-client.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { CLIENTS, ip, MAC_1, message, readReply } from '../support/dhcp-messages.ts';
import { FakeApi } from '../support/lab.ts';

const SCRIPT: BootDecision = { kind: 'script', url: 'http://10.0.0.1:8080/script' };

/** Policies that follow each other over the same stores, as reloads make them. */
function reloads(): (config: BootServerConfig, before?: Policy) => Promise<Policy> {
  const clock = new MockClock();
  const database = openDatabase(':memory:');
  const stores: PolicyStores = {
    clock,
    entropy: mockEntropy(5),
    log: new MemoryLogger(),
    database,
    leaseRows: leaseStore(database),
    lease6Rows: lease6Store(database),
    serverDuid: () => Uint8Array.of(0, 4, ...new Uint8Array(16).fill(7)),
    mayAnswer6: () => true,
    lastPlans: bootStore(database, clock),
    sightings: sightingStore(database, clock),
    api: new FakeApi(),
    httpListen: [{ address: '::', port: 8080 }],
    isAt: () => false,
    subjects: subjectMemory(database),
    signingKeys: () => Promise.resolve([new Uint8Array(32)]),
    fetches: loaderFetches(clock),
    debugKeys: forgottenDebugKeys(),
  };
  return (config, before) => createPolicy(stores, config, before);
}

function configOf(prefix: string, pool: string): BootServerConfig {
  const base = testConfig('/none');
  const subnets = [subnetConfig('10.0.1', { pool })];
  const subnets6 = [subnet6Config({ pool: `${prefix}::100-${prefix}::1ff` })];
  return { ...base, dhcp: { ...base.dhcp, subnets }, dhcp6: dhcp6Config({ subnets: subnets6 }) };
}
const OLD = configOf('2001:db8:1:0:a', '10.0.1.100-10.0.1.199');
const NEW = configOf('2001:db8:1:0:b', '10.0.1.100-10.0.1.210');

it('a lease whose boot was decided after a reload is one of the engine that answers from then on', async () => {
  const make = reloads();
  const first = await make(OLD);
  const current = currentPolicy(first);
  const wants = { code: 50, data: bytesOfIpv4(ip('10.0.1.150')) };
  const request = message(MessageType.REQUEST, { mac: MAC_1, kind: CLIENTS.biosIpxe, giaddr: ip('10.0.1.1') }, [wants]);
  const step = current.respond(request, { address: '10.0.1.1', port: 67 }, ip('10.0.0.1'));
  if (step.kind !== 'question') throw new Error(step.kind);
  current.now = await make(NEW, first);
  const outcome = step.answer(SCRIPT);
  expect(outcome.kind === 'reply' && readReply(outcome.data).packet.yiaddr).toBe('10.0.1.150');
  // Else the next machine would be offered it as well.
  expect(current.now.leases.holderOf(ipv4ToNumber(ip('10.0.1.150')))?.mac).toBe(MAC_1);
});

it('an offer of an address that the network is asked for is of no concern to the engine that came after', async () => {
  const make = reloads();
  const first = await make(OLD);
  const current = currentPolicy(first);
  const discover = message(MessageType.DISCOVER, { mac: MAC_1, kind: CLIENTS.biosIpxe, giaddr: ip('10.0.1.1') });
  const step = current.respond(discover, { address: '10.0.1.1', port: 67 }, ip('10.0.0.1'));
  const outcome = step.kind === 'question' ? step.answer(SCRIPT) : step;
  if (outcome.kind !== 'reply' || outcome.unproven === undefined) throw new Error(outcome.kind);
  current.now = await make(NEW, first);
  expect(outcome.unproven.setAside()).toBe(false);
  const [subnet] = first.plan.subnets;
  const again = subnet && first.leases.offer(subnet, { mac: MAC_1, uuid: undefined }, undefined);
  expect(again).toEqual({ ok: true, address: outcome.unproven.address });
});

it('so it is with an IPv6 address', async () => {
  const make = reloads();
  const first = await make(OLD);
  const current = currentPolicy(first);
  const solicit = message6(Dhcp6MessageType.SOLICIT, [clientId(), iaNa(1), ...EDK2_PXE]);
  const packet = relayed6(solicit, { link: '2001:db8:1::1' });
  const step = current.respond6(packet, { address: '2001:db8::99', port: 547 }, { kind: 'unicast' });
  if (step.kind !== 'question') throw new Error(step.kind);
  current.now = await make(NEW, first);
  const outcome = step.answer(SCRIPT);
  expect(outcome.kind === 'reply' && readReply6(outcome.data).addresses).toEqual([
    expect.stringMatching(/^2001:db8:1:0:b::1/),
  ]);
});
