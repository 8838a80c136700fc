export { AgentError, AgentErrorCode } from './errors.ts';
export { takeInventory, type Inventory } from './inventory/inventory.ts';
export { inventoryTags } from './inventory-tags.ts';
export { openSysfs, type Sysfs } from './sysfs.ts';
