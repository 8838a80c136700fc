import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MockClock } from '@ingot/net';
import { addressHolders } from '../../src/admission/address-holders.ts';
import { createLeaseEngine } from '../../src/dhcp/lease-engine.ts';
import { createLease6Engine } from '../../src/dhcpv6/lease-engine.ts';
import { planDhcp6 } from '../../src/dhcpv6/plan.ts';
import { openDatabase } from '../../src/store/database.ts';
import { leaseStore } from '../../src/store/leases.ts';
import { lease6Store } from '../../src/store/leases6.ts';
import { dhcp6Config, subnet6Config } from '../support/dhcp6-client.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('an IPv6 address is its holder’s, and so is the one that the NIC made itself of its MAC', () => {
  const clock = new MockClock();
  const database = openDatabase(join(temporaryFolder(), 'leases.sqlite'));
  const { subnets } = planDhcp6(dhcp6Config({ subnets: [subnet6Config()] }), []);
  const leases6 = createLease6Engine({ clock, store: lease6Store(database), subnets });
  const holders = addressHolders(createLeaseEngine({ clock, store: leaseStore(database), subnets: [] }), leases6);
  const client = { duid: '00:09:01', iaid: 1, mac: MAC_1, uuid: undefined };
  const [subnet] = subnets;
  const address = subnet && leases6.lease(subnet, client, { addresses: [], taken: new Set() });
  if (address === undefined) throw new Error('no lease');
  expect(holders.holderOf(address)?.mac).toBe(MAC_1);
  expect(holders.holderOf('2001:db8:1::77')).toBeUndefined();
  expect(holders.holderOf('10.0.0.1')).toBeUndefined();
  const selfMade = '2001:db8:1:0:5054:ff:fe00:101';
  expect(holders.addressesOf(MAC_1, selfMade)).toEqual([address, selfMade]);
  expect(holders.addressesOf(MAC_1, '2001:db8:1::77')).toEqual([address]);
  // Beside another server nothing is known, and nobody refused.
  expect(holders.addressesOf(MAC_2, selfMade)).toEqual([]);
  expect(holders.addressesOf(MAC_1, '10.0.0.1')).toEqual([]);
});
