import type { RuleTable } from './rule.ts';
import { bootRules } from './rules/boot.ts';
import { imageRules } from './rules/image.ts';
import { layoutRules } from './rules/layout.ts';
import { machineRules } from './rules/machine.ts';
import { networkRules } from './rules/network.ts';
import { operationRules } from './rules/operation.ts';
import { partitionRules } from './rules/partition.ts';
import { projectRules } from './rules/project.ts';
import { sizeRules } from './rules/size.ts';
import { switchRules } from './rules/switch.ts';
import { tokenRules } from './rules/token.ts';

/** Every rule of the contract. A data table, so that an agent in an initrd needs no expression engine to check it. */
export const ruleTable: RuleTable = {
  ...bootRules,
  ...imageRules,
  ...layoutRules,
  ...machineRules,
  ...networkRules,
  ...operationRules,
  ...partitionRules,
  ...projectRules,
  ...sizeRules,
  ...switchRules,
  ...tokenRules,
};
