import { apiV2, create, fromJson, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from './find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';
import { edit } from '../resources/edit.ts';
import type { Json } from '../output.ts';
import { isObject, updateMetaOf, type Item, type JsonObject } from '../resources/resource.ts';
import { labelsOf } from '../resources/shared.ts';
import { projectIfGiven } from '../project-name.ts';

/** `ingot machine edit`: what its project may change of an allocated machine. */
export function addMachineEditCommand(machine: Command, io: CliIo): void {
  withApiFlags(
    machine
      .command('edit')
      .description('change description, labels and SSH keys of an allocated machine in $VISUAL or $EDITOR')
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
      .option('--project <uuid|name>', 'whose it is; enough for this is a token of the project'),
  ).action((id: string, flags: ContextFlags & { readonly project?: string }) =>
    withApi(flags, io, async (api) => {
      const found = await findMachine(api, id, await projectIfGiven(api, flags.project));
      const { uuid, allocation } = found;
      if (allocation === undefined)
        throw new CliError(CliErrorCode.Argument, `machine ${uuid} belongs to nobody, so there is nothing to change`);
      const { project } = allocation;
      const seen = itemOf(found);
      const parse = (edited: JsonObject): Item => ({ id: uuid, json: fieldsOf(read(edited)) });
      const save = async (json: JsonObject): Promise<Item> => {
        const { description, sshPublicKeys, meta } = read(json);
        const { machine: changed } = await api.projectMachines.update(
          {
            uuid,
            project,
            updateMeta: updateMetaOf({ id: uuid, json: jsonOf(found) }),
            description,
            sshPublicKeys,
            ...labelsOf({ meta }),
          },
          call,
        );
        return changed === undefined ? seen : itemOf(changed);
      };
      const changeable = { emptiable: ['description'], labelled: true };
      await edit({ kind: 'machine', seen, shown: seen.json, fixed: [], changeable, parse, save }, api, io);
    }),
  );
}

function itemOf({ uuid, allocation, meta }: apiV2.Machine): Item {
  return { id: uuid, json: fieldsOf({ description: '', sshPublicKeys: [], ...allocation, meta }) };
}

/** What may be changed: fields of the allocation, and the labels of the machine. */
function fieldsOf(of: Pick<apiV2.MachineAllocation, 'description' | 'sshPublicKeys' | 'meta'>): {
  readonly [Name in 'description' | 'sshPublicKeys' | 'meta']: Json;
} {
  const labels = { ...of.meta?.labels?.labels };
  return { description: of.description, sshPublicKeys: [...of.sshPublicKeys], meta: { labels: { labels } } };
}

function jsonOf(machine: apiV2.Machine): JsonObject {
  const json = toJson(apiV2.MachineSchema, machine);
  return isObject(json) ? json : {};
}

/** The document has the fields of an allocation, and the labels of the machine. */
function read(edited: JsonObject): apiV2.MachineAllocation {
  const editable = Object.keys(fieldsOf(create(apiV2.MachineAllocationSchema)));
  const stranger = Object.keys(edited).find((name) => !editable.includes(name));
  if (stranger !== undefined)
    throw new CliError(CliErrorCode.Argument, `${stranger} cannot be changed; there are ${editable.join(', ')}`);
  try {
    return fromJson(apiV2.MachineAllocationSchema, edited);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.Argument, `this is nothing to change a machine to: ${reason}`, error);
  }
}
