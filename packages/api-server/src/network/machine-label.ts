/** The label of an address that names the machine which has it, as upstream's controllers look for it. */
export const MACHINE_LABEL = 'machine.metal-stack.io/id';
