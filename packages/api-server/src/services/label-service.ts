import { ApiError, apiV2, bindService, Code, create, ingotAdminV1, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { NO_REBOOT_LABEL, refuseOrders } from '../machine/labels.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import type { ServiceDependencies } from './context.ts';
import { updateLabels } from './update-entity.ts';

/** The discovery agent looks for the label and not at its value. */
const NO: ReadonlySet<string> = new Set(['false', 'no', 'off', '0']);

/** `ingot.admin.v1.LabelService`. */
export function labelService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof ingotAdminV1.LabelService, Caller>(ingotAdminV1.LabelService, {
    async update({ uuid, labels: patch }) {
      if (patch === undefined) throw new ApiError(Code.InvalidArgument, 'labels is missing: say what is to change');
      checkPatch(patch);
      const id = machineIdOf(uuid);
      return stores.transaction(async (inner) => {
        if ((await inner.machines.get(id)) === undefined)
          throw new ApiError(Code.NotFound, `there is no machine ${uuid}`);
        const { value } = await inner.machines.edit(id, (machine) => {
          updateLabels(machine, create(apiV2.UpdateLabelsSchema, { strategy: { case: 'patch', value: patch } }));
        });
        return { labels: create(apiV2.LabelsSchema, { labels: value.meta?.labels?.labels ?? {} }) };
      });
    },
  });
}

function checkPatch({ update, remove }: apiV2.LabelsPatch): void {
  const set = update?.labels ?? {};
  refuseOrders([...Object.keys(set), ...remove]);
  if (NO.has(set[NO_REBOOT_LABEL]?.toLowerCase() ?? ''))
    throw new ApiError(
      Code.InvalidArgument,
      `${NO_REBOOT_LABEL} counts whatever its value is: remove it to have the machine reboot as planned`,
    );
}
