export { labCommand } from './command.ts';
export { LabError, type LabErrorCode } from './errors.ts';
export { startRack, type Rack, type RackEvents, type RackMachine, type RackOptions } from './rack.ts';
export { phases, type Phase } from './timeline.ts';
export type { MachineIdentity } from './identity.ts';
export type { Firmware, MachineOptions } from './machine.ts';
