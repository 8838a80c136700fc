import { apiV2, create } from '@ingot/api';
import { expect, test } from 'vitest';
import { cabledPorts } from '../../src/switch/cabling.ts';

interface Leaf {
  readonly rack?: string;
  /** Port → machine; its identifier is the port in capitals. */
  readonly ports: Readonly<Record<string, string>>;
}

/** The problems by switch and port; `seen`: machine → what its last inventory saw. */
function problems(leaves: Readonly<Record<string, Leaf>>, seen: Readonly<Record<string, readonly string[]>> = {}) {
  const switches = Object.entries(leaves).map(([id, { rack = 'rack-1', ports }]) =>
    create(apiV2.SwitchWithMachinesSchema, {
      id,
      rack,
      connections: Object.entries(ports).map(([name, uuid]) => ({
        nic: { name, identifier: name.toUpperCase() },
        machine: {
          uuid,
          hardware: {
            nics: (seen[uuid] ?? []).map((place) => {
              const [hostname = '', port = ''] = place.split(' ');
              return { name: 'lan0', neighbors: [{ hostname, identifier: port.toUpperCase() }] };
            }),
          },
        },
      })),
    }),
  );
  return Object.fromEntries(
    cabledPorts(switches).flatMap(({ switchId, port, problems: found }) =>
      found.length === 0 ? [] : [[`${switchId} ${port}`, found.join('; ')]],
    ),
  );
}

test('the same ports of two leaves of one rack are right, also of different systems and with two cables each', () => {
  expect(
    problems({
      leaf01: { ports: { Ethernet0: 'a', Ethernet4: 'b', Ethernet8: 'b' } },
      leaf02: { ports: { swp1: 'a', Ethernet8: 'b', Ethernet4: 'b' } },
    }),
  ).toEqual({});
});

test('a machine on one leaf only, on three, or in two racks, is named with the others', () => {
  expect(
    problems({
      leaf01: { ports: { Ethernet0: 'a', Ethernet4: 'b', Ethernet8: 'c' } },
      leaf02: { ports: { Ethernet4: 'b' } },
      leaf03: { ports: { Ethernet4: 'b' } },
      leaf11: { rack: 'rack-2', ports: { Ethernet8: 'c' } },
    }),
  ).toEqual({
    'leaf01 Ethernet0': 'on this switch only',
    'leaf01 Ethernet4': 'on 3 switches, also leaf02, leaf03',
    'leaf02 Ethernet4': 'on 3 switches, also leaf01, leaf03',
    'leaf03 Ethernet4': 'on 3 switches, also leaf01, leaf02',
    'leaf01 Ethernet8': 'also on leaf11, of rack "rack-2"',
    'leaf11 Ethernet8': 'also on leaf01, of rack "rack-1"',
  });
});

test('other ports on the other leaf are named', () => {
  expect(
    problems({
      leaf01: { ports: { Ethernet0: 'a', Ethernet4: 'a' } },
      leaf02: { ports: { Ethernet0: 'a', Ethernet12: 'a', Ethernet8: 'a' } },
    }),
  ).toEqual({
    'leaf01 Ethernet4': 'on leaf02 it has Ethernet0, Ethernet8, Ethernet12',
    'leaf02 Ethernet8': 'on leaf01 it has Ethernet0, Ethernet4',
    'leaf02 Ethernet12': 'on leaf01 it has Ethernet0, Ethernet4',
  });
});

test('what a machine saw when it last started counts, if it saw any switch', () => {
  const leaves = {
    leaf01: { ports: { Ethernet0: 'a', Ethernet4: 'b', Ethernet8: 'c' } },
    leaf02: { ports: { Ethernet0: 'a', Ethernet4: 'b', Ethernet8: 'c' } },
  };
  const seen = {
    a: ['leaf01 Ethernet0', 'leaf02 Ethernet0', 'mgmt01 Ethernet3'],
    b: ['leaf01 Ethernet4', 'leaf02 Ethernet12'],
    c: ['mgmt01 Ethernet3'],
  };
  expect(problems(leaves, seen)).toEqual({
    'leaf02 Ethernet4': 'at its last start it saw ETHERNET4 of leaf01, ETHERNET12 of leaf02',
  });
});
