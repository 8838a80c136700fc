import { readFile } from 'node:fs/promises';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  oneof,
  record,
  string as stringOf,
  subarray,
} from 'fast-check';
import { expect, test } from 'vitest';
import { connectApi, type DesiredSwitch } from '../src/api.ts';
import { createBgpSessions } from '../src/bgp-sessions.ts';
import { statesFor } from '../src/desired.ts';
import { parseBgpNeighbors } from '../src/frr/neighbors.ts';
import { NAMING_SCHEMAS, namePorts } from '../src/naming.ts';
import { createProblems } from '../src/problems.ts';
import { startApi } from './api-kit.ts';

const PORTS = ['Ethernet0', 'Ethernet4', 'Ethernet8'];
// Half surrogate pairs, control characters and what is longer than the API takes for a name.
const text = oneof(
  stringOf({ unit: 'binary', maxLength: 300 }),
  stringOf({ unit: 'grapheme', maxLength: 300 }),
  constantFrom('', 'x', '\ud83d', 'a\ud83d\ude00'.repeat(700), '\0', 'none', '__proto__'),
);
const anyValue = oneof(text, double(), integer(), constant(null), constant([]), boolean());
const neighbor = record(
  {
    bgpState: oneof(constantFrom('Idle', 'Clearing', 'Deleted', 'Established', 'Connect'), anyValue),
    hostname: anyValue,
    peerGroup: anyValue,
    bgpTimerUpEstablishedEpoch: oneof(integer({ min: 0 }), constant(1e300), anyValue),
    addressFamilyInfo: oneof(
      record({ ipv4Unicast: record({ sentPrefixCounter: anyValue, acceptedPrefixCounter: anyValue }) }),
      anyValue,
    ),
  },
  { requiredKeys: [] },
);
const vrfs = dictionary(
  oneof(constantFrom('default', 'Vrf7', 'V'), text),
  oneof(dictionary(oneof(constantFrom(...PORTS, '10.0.0.1'), text), oneof(neighbor, anyValue)), anyValue),
  { maxKeys: 3 },
);

test('no heartbeat is invalid, whatever FRR answers and whatever is wrong on the switch', async () => {
  await using api = await startApi();
  const channel = connectApi({
    url: api.url,
    ca: await readFile(api.caFile, 'utf8'),
    tokenFile: api.tokenFile,
    timeoutMs: 5000,
  });
  const { signal } = new AbortController();
  const clock = new MockClock();
  try {
    for (const schema of NAMING_SCHEMAS) {
      const names = namePorts(
        schema,
        PORTS.map((name, index) => ({ name, alias: `Eth1/${index + 1}` })),
      );
      const id = `leaf-${schema}`;
      const registered = await channel.register(
        {
          id,
          partition: 'lab',
          rack: 'rack-1',
          managementIp: '10.0.0.11',
          managementUser: 'admin',
          osVersion: '202411.1',
          agentVersion: 'ingot test',
          ports: names.ports.map((port) => ({ ...port, state: 'unknown' as const })),
        },
        signal,
      );
      // A port that the API knows and the switch does not.
      const desired: DesiredSwitch = { nics: [...registered.nics] };
      await assert(
        asyncProperty(
          vrfs,
          array(text, { maxLength: 3 }),
          subarray(PORTS),
          double({ min: 0, max: 1e9, noNaN: true }),
          async (answer, reasons, known, durationMs) => {
            const problems = createProblems(new MemoryLogger());
            reasons.forEach((reason, index) => problems.report(`Ethernet${index}`, reason));
            const sessions = createBgpSessions({
              read: () => Promise.resolve(parseBgpNeighbors(JSON.stringify(answer))),
              tellApi: true,
              maxAgeMs: 1000,
              clock,
              problems,
            });
            await sessions.look(signal);
            const links = new Map(
              names.ports.filter(({ port }) => known.includes(port)).map(({ nicName }) => [nicName, 'up' as const]),
            );
            const portStates = statesFor(desired, links);
            const bgpStates = sessions.of([...portStates.keys()], names);
            await channel.heartbeat({ id, durationMs, error: problems.summary(), portStates, bgpStates }, signal);
            const beat = api.heartbeats.at(-1);
            expect(Object.keys(beat?.portStates ?? {}).sort()).toEqual(registered.nics.map(({ name }) => name).sort());
            expect(beat?.error ?? '').not.toContain('\0');
            expect((beat?.error ?? '') === '').toBe(reasons.length === 0);
          },
        ),
        { numRuns: 60 },
      );
    }
  } finally {
    channel.close();
  }
});
