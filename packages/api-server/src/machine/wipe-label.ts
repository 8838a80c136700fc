/** Label of a machine that is to erase its disks; its value is the order. */
export const WIPE_LABEL = 'ingot.dev/wipe';
