import { apiV2 } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';

/** `ingot switch port`, `migrate`, `replace` and `rm`. */
export function addSwitchOperations(command: Command, io: CliIo): void {
  withApiFlags(
    command
      .command('port')
      .description('take a port up or down')
      .argument('<switch>', 'its name')
      .argument('<port>', 'the name of the port')
      .addArgument(command.createArgument('<state>', 'what it is to be').choices(['up', 'down'])),
  ).action(async (id: string, nicName: string, state: 'up' | 'down', flags: ContextFlags) => {
    const status = state === 'up' ? apiV2.SwitchPortStatus.UP : apiV2.SwitchPortStatus.DOWN;
    await withApi(flags, io, (api) => api.switches.port({ id, nicName, status }, call));
    io.stdout(`port ${nicName} of switch ${id} is to be ${state}\n`);
  });

  withApiFlags(
    command
      .command('migrate')
      .description('give what one switch has to another one of its rack; then move the cables')
      .argument('<old>', 'the switch with machines')
      .argument('<new>', 'a registered switch without machines'),
  ).action(async (oldSwitch: string, newSwitch: string, flags: ContextFlags) => {
    const answer = await withApi(flags, io, (api) => api.switches.migrate({ oldSwitch, newSwitch }, call));
    const count = answer.switch?.machineConnections.length ?? 0;
    io.stdout(`switch ${newSwitch} has the ${count} cables of ${oldSwitch}; move them now\n`);
  });

  withApiFlags(
    command
      .command('replace')
      .description('let the next switch that registers by this name take over from its twin in the rack')
      .argument('<id>', 'the name of the broken switch'),
  ).action(async (id: string, flags: ContextFlags) => {
    const updateMeta = { lockingStrategy: apiV2.OptimisticLockingStrategy.SERVER };
    const replaceMode = apiV2.SwitchReplaceMode.REPLACE;
    await withApi(flags, io, (api) => api.switches.update({ id, updateMeta, replaceMode }, call));
    io.stdout(`switch ${id} will be replaced by the next one that registers as ${id}\n`);
  });

  withApiFlags(
    command
      .command('rm')
      .description('forget a switch')
      .argument('<id>', 'its name')
      .option('--force', 'also with machines on its ports'),
  ).action(async (id: string, flags: ContextFlags & { readonly force?: boolean }) => {
    await withApi(flags, io, (api) => api.switches.delete({ id, force: flags.force === true }, call));
    io.stdout(`switch ${id} removed\n`);
  });
}
