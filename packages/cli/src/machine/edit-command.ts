import { apiV2, create, fromJson, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from './find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';
import { edit } from '../resources/edit.ts';
import { given } from '../resources/given.ts';
import { isObject, updateMetaOf, type Item, type JsonObject } from '../resources/resource.ts';
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
      const save = async (edited: JsonObject): Promise<Item> => {
        const { description, sshPublicKeys, meta } = read(edited);
        const { machine: changed } = await api.projectMachines.update(
          {
            uuid,
            project,
            updateMeta: updateMetaOf({ id: uuid, json: jsonOf(found) }),
            ...given('description', description),
            sshPublicKeys,
            labels: { strategy: { case: 'replace', value: meta?.labels ?? create(apiV2.LabelsSchema) } },
          },
          call,
        );
        return changed === undefined ? seen : itemOf(changed);
      };
      await edit({ kind: 'machine', seen, shown: seen.json, fixed: [], save }, api, io);
    }),
  );
}

function itemOf(machine: apiV2.Machine): Item {
  const { allocation, meta } = machine;
  const labels = meta?.labels?.labels ?? {};
  return {
    id: machine.uuid,
    json: {
      description: allocation?.description ?? '',
      sshPublicKeys: [...(allocation?.sshPublicKeys ?? [])],
      meta: { labels: { labels: { ...labels } } },
    },
  };
}

function jsonOf(machine: apiV2.Machine): JsonObject {
  const json = toJson(apiV2.MachineSchema, machine);
  return isObject(json) ? json : {};
}

/** The document has the fields of an allocation, and the labels of the machine. */
function read(edited: JsonObject): apiV2.MachineAllocation {
  try {
    return fromJson(apiV2.MachineAllocationSchema, edited);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.Argument, `this is nothing to change a machine to: ${reason}`, error);
  }
}
