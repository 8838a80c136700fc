import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { connectMachine, type Connection } from '../src/topology/connect-machine.ts';
import { laneOf, mirrored } from '../src/topology/port-names.ts';
import { cableTo, leaf, port } from './support.ts';

const nics = (...inits: MessageInitShape<typeof apiV2.MachineNicSchema>[]): apiV2.MachineNic[] =>
  inits.map((init) => create(apiV2.MachineNicSchema, init));
const leaves = [leaf('leaf01'), leaf('leaf02')];
const both = nics(cableTo('eth0', 'leaf01', 'Eth1/2'), cableTo('eth1', 'leaf02', 'Eth1/2'));

const refused = (connection: Connection): string => (connection.ok ? 'connected' : connection.reason);

describe('a machine is connected', () => {
  test('to the ports whose identifiers it sees, and takes over their rack', () => {
    const connection = connectMachine(both, leaves);
    expect(connection).toMatchObject({
      ok: true,
      rack: 'rack01',
      cables: [
        { switchId: 'leaf01', nic: { name: 'Ethernet4' }, machineNic: 'eth0' },
        { switchId: 'leaf02', nic: { name: 'Ethernet4' }, machineNic: 'eth1' },
      ],
    });
  });

  test('with two cables to each leaf', () => {
    const four = [...both, ...nics(cableTo('eth2', 'leaf01', 'Eth1/3'), cableTo('eth3', 'leaf02', 'Eth1/3'))];
    expect(connectMachine(four, leaves)).toMatchObject({ ok: true });
  });

  test('although other things speak LLDP to it, too', () => {
    const noisy = [...both, ...nics(cableTo('eth2', 'mgmt-switch', 'ge-0/0/1'), cableTo('eth3', '', 'x'))];
    const connection = connectMachine(noisy, leaves);
    expect(connection.ok && connection.cables.length).toBe(2);
  });

  test('to leaves of different systems at the same place', () => {
    const cumulus = leaf('leaf02', (one) => {
      one.nics = [port('swp1', 'swp1'), port('swp2', 'swp2')];
    });
    const mixed = nics(cableTo('eth0', 'leaf01', 'Eth1/2'), cableTo('eth1', 'leaf02', 'swp2'));
    expect(connectMachine(mixed, [leaf('leaf01'), cumulus])).toMatchObject({ ok: true });
  });
});

describe('a machine is refused', () => {
  test('without neighbours, naming the switches that there are', () => {
    const reason = refused(connectMachine([], leaves));
    expect(reason).toContain('expected neighbours on exactly 2 switches of the partition, saw 0');
    expect(reason).toContain('registered switches: leaf01, leaf02');
  });

  test('with one leaf, saying what it sees instead of the other', () => {
    const lonely = nics(cableTo('eth0', 'leaf01', 'Eth1/1'), cableTo('eth1', 'leaf99', 'Eth1/1'));
    const reason = refused(connectMachine(lonely, leaves));
    expect(reason).toContain('saw 1 (eth0 on leaf01 Ethernet0)');
    expect(reason).toContain('other neighbours: eth1 sees "leaf99" port "Eth1/1"');
  });

  test('with three leaves', () => {
    const three = [...both, ...nics(cableTo('eth2', 'leaf03', 'Eth1/2'))];
    expect(refused(connectMachine(three, [...leaves, leaf('leaf03')]))).toContain('saw 3');
  });

  test('on a port that its switch does not know, listing those that it does', () => {
    const wrong = nics(cableTo('eth0', 'leaf01', 'Eth9/9'), cableTo('eth1', 'leaf02', 'Eth1/1'));
    const reason = refused(connectMachine(wrong, leaves));
    expect(reason).toContain('eth0 sees port "Eth9/9" of switch leaf01');
    expect(reason).toContain('only Eth1/1, Eth1/2, Eth1/3, Eth1/4');
  });

  test('between two racks', () => {
    const elsewhere = leaf('leaf02', (one) => {
      one.rack = 'rack02';
    });
    expect(refused(connectMachine(both, [leaf('leaf01'), elsewhere]))).toContain(
      'leaf01 is in "rack01" and leaf02 in "rack02"',
    );
  });

  test('on different ports of the two leaves', () => {
    const crossed = nics(cableTo('eth0', 'leaf01', 'Eth1/1'), cableTo('eth1', 'leaf02', 'Eth1/2'));
    expect(refused(connectMachine(crossed, leaves))).toContain('Ethernet0 of leaf01 has no counterpart on leaf02');
  });

  test('with more cables to one leaf than to the other', () => {
    const uneven = [...both, ...nics(cableTo('eth2', 'leaf02', 'Eth1/3'))];
    expect(refused(connectMachine(uneven, leaves))).toContain('Ethernet8 of leaf02 has no counterpart on leaf01');
  });
});

describe('port names', () => {
  test('count lanes', () => {
    expect(['Ethernet0', 'Ethernet124', 'swp1', 'swp2', 'swp2s3'].map(laneOf)).toEqual([0, 124, 0, 4, 7]);
    expect(['swp0', 'eth0', 'Ethernet', 'Ethernet1/1', 'swp1-2'].map(laneOf)).toEqual(Array(5).fill(undefined));
  });

  test('mirror each other only at the same lane', () => {
    expect(mirrored('Ethernet4', 'swp2')).toBe(true);
    expect(mirrored('Ethernet4', 'swp1')).toBe(false);
    expect(mirrored('swp2', 'swp2s0')).toBe(false);
    expect(mirrored('Eth1/1', 'Eth1/1')).toBe(true);
  });
});
