import type { RuleTable } from './rule.ts';
import { bootRules } from './rules/boot.ts';
import { layoutRules } from './rules/layout.ts';
import { machineRules } from './rules/machine.ts';
import { partitionRules } from './rules/partition.ts';
import { switchRules } from './rules/switch.ts';
import { tokenRules } from './rules/token.ts';

/** Every rule of the contract. A data table, so that an agent in an initrd needs no expression engine to check it. */
export const ruleTable: RuleTable = {
  ...bootRules,
  ...layoutRules,
  ...machineRules,
  ...partitionRules,
  ...switchRules,
  ...tokenRules,
};
