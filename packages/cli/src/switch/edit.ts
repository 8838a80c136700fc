import { apiV2, fromJson, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';
import { edit } from '../resources/edit.ts';
import { given } from '../resources/given.ts';
import { isObject, updateMetaOf, type Item, type JsonObject } from '../resources/resource.ts';

/** What may be changed, and how it is shown where it is not set. */
const EDITABLE: Readonly<Record<string, string>> = {
  description: '',
  replaceMode: 'SWITCH_REPLACE_MODE_OPERATIONAL',
  managementIp: '',
  managementUser: '',
  consoleCommand: '',
};

/** `ingot switch edit`: what an operator, and not the switch itself, says of a switch. */
export function addSwitchEditCommand(command: Command, io: CliIo): void {
  withApiFlags(
    command
      .command('edit')
      .description('change description, mode and ways of access of a switch in $VISUAL or $EDITOR')
      .argument('<id>', 'its name'),
  ).action((id: string, flags: ContextFlags) =>
    withApi(flags, io, async (api) => {
      const { switch: found } = await api.switches.get({ id }, call);
      if (found === undefined) throw new CliError(CliErrorCode.Api, 'the API server answered without the switch');
      const seen = itemOf(found);
      const parse = (edited: JsonObject): Item => ({ id, json: itemOf(read(edited)).json });
      const save = async (json: JsonObject): Promise<Item> => {
        const { description, replaceMode, managementIp, managementUser, consoleCommand } = read(json);
        const { switch: changed } = await api.switches.update(
          {
            id,
            updateMeta: updateMetaOf(seen),
            description,
            replaceMode,
            ...given('managementIp', managementIp === '' ? undefined : managementIp),
            ...given('managementUser', managementUser),
            ...given('consoleCommand', consoleCommand),
          },
          call,
        );
        return changed === undefined ? seen : itemOf(changed);
      };
      const shown = Object.fromEntries(
        Object.entries(EDITABLE).map(([name, unset]) => [name, seen.json[name] ?? unset]),
      );
      const changeable = { emptiable: ['description', 'managementUser', 'consoleCommand'], labelled: false };
      await edit({ kind: 'switch', seen, shown, fixed: [], changeable, parse, save }, api, io);
    }),
  );
}

function itemOf(found: apiV2.Switch): Item {
  const json = toJson(apiV2.SwitchSchema, found);
  return { id: found.id, json: isObject(json) ? json : {} };
}

function read(edited: JsonObject): apiV2.Switch {
  const stranger = Object.keys(edited).find((name) => !Object.hasOwn(EDITABLE, name));
  if (stranger !== undefined)
    throw new CliError(
      CliErrorCode.Argument,
      `${stranger} cannot be changed; there are ${Object.keys(EDITABLE).join(', ')}`,
    );
  try {
    return fromJson(apiV2.SwitchSchema, edited);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.Argument, `this is nothing to change a switch to: ${reason}`, error);
  }
}
