import { apiV2, Code, create, type MessageInitShape } from '@ingot/api';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shownLabels, updateTenantLabels } from '../../src/machine/labels.ts';
import { failure, startRig, type Rig } from '../support.ts';
import { hall, SERVER } from './hall.ts';

type Update = NonNullable<MessageInitShape<typeof apiV2.UpdateLabelsSchema>['strategy']>;

const reserved = [
  'ingot.dev/wipe',
  'ingot.dev/no-reboot',
  'ingot.inventory.boot',
  'ingot.inventory.disk/nvme0n1',
  'machine.metal-stack.io/rack',
  'machine.metal-stack.io/chassis',
  'machine.metal-stack.io/network.primary.asn',
];

/** A machine of a project, and its labels as the project sees them. */
async function allocated(rig: Rig) {
  const { machines, wish, a } = await hall(rig, 1);
  const { machine } = await machines.create(wish({ labels: { labels: { tier: 'web', row: 'mine' } } }));
  const uuid = machine?.uuid ?? '';
  const update = async (strategy: Update): Promise<Record<string, string>> => {
    const changed = await machines.update({ uuid, project: a, updateMeta: SERVER, labels: { strategy } });
    return changed.machine?.meta?.labels?.labels ?? {};
  };
  const before = machine?.meta?.labels?.labels ?? {};
  const free = async () => (await machines.delete({ uuid, project: a })).machine?.meta?.labels?.labels ?? {};
  return { before, update, free };
}

describe('labels of an allocation', () => {
  test('lie over those of the machine, and go with it', async () => {
    await using rig = await startRig();
    const { before, update, free } = await allocated(rig);
    expect(before).toMatchObject({ tier: 'web', row: 'mine', 'ingot.inventory.boot': 'uefi' });
    await update({ case: 'patch', value: { update: { labels: { stage: 'test' } }, remove: ['tier'] } });
    expect(await free()).toEqual({ row: '7', 'ingot.inventory.boot': 'uefi', 'ingot.dev/wipe': expect.any(String) });
  });

  test('are replaced without those that are not the tenant’s, which may come back as they are', async () => {
    await using rig = await startRig();
    const { before, update } = await allocated(rig);
    const { tier: _tier, row: _row, ...others } = before;
    expect(await update({ case: 'replace', value: { labels: { stage: 'test' } } })).toEqual({
      ...others,
      row: '7',
      stage: 'test',
    });
    expect(await update({ case: 'replace', value: { labels: { ...before, stage: 'live' } } })).toEqual({
      ...before,
      stage: 'live',
    });
  });

  test('never have a reserved key, neither at first nor later', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 1);
    for (const key of reserved) {
      const error = await failure(machines.create(wish({ labels: { labels: { tier: 'web', [key]: 'x' } } })));
      expect(error.code).toBe(Code.InvalidArgument);
      expect(error.message).toContain(`not a tenant's to set or to take away: ${key};`);
    }
  });
});

describe('a tenant’s update', () => {
  const key = fc.constantFrom(...reserved, 'row', 'tier', 'stage', '__proto__x');
  const labels = fc.dictionary(key, fc.constantFrom('1', '2'), { maxKeys: 6 });
  const update: fc.Arbitrary<Update> = fc.oneof(
    labels.map((value) => ({ case: 'replace' as const, value: { labels: value } })),
    fc
      .tuple(labels, fc.uniqueArray(key, { maxLength: 3 }))
      .map(([value, remove]) => ({ case: 'patch' as const, value: { update: { labels: value }, remove } })),
  );

  test('changes nothing that is the machine’s or the operator’s, whatever it asks for', () => {
    fc.assert(
      fc.property(labels, labels, fc.array(update, { maxLength: 4 }), (own, given, updates) => {
        const machine = create(apiV2.MachineSchema, {
          meta: { labels: { labels: own } },
          allocation: { meta: { labels: { labels: given } } },
        });
        const shown = (): Record<string, string> => ({ ...shownLabels(machine)?.labels });
        const kept = (all: Record<string, string>): [string, string][] =>
          Object.entries(all)
            .filter(([name]) => reserved.includes(name))
            .toSorted(([a], [b]) => a.localeCompare(b));
        const before = kept(shown());
        for (const strategy of updates) {
          const was = shown();
          try {
            updateTenantLabels(machine, create(apiV2.UpdateLabelsSchema, { strategy }));
          } catch {
            expect(shown()).toEqual(was);
          }
        }
        expect(kept(shown())).toEqual(before);
        expect(machine.meta?.labels?.labels).toEqual(own);
      }),
    );
  });
});
