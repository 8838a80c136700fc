import type { RuleTable } from '../rule.ts';

/** Disks, partitions and file systems. Source: the validation rules of metal-stack's api v0.5.0. */
export const layoutRules: RuleTable = {
  'metalstack.api.v2.Disk': {
    device: { length: [2, 128], trimmed: true },
  },
  'metalstack.api.v2.DiskPartition': {
    label: { length: [2, 128], trimmed: true },
    gpt_type: { required: true, defined: true },
  },
  'metalstack.api.v2.Filesystem': {
    device: { length: [2, 128] },
    format: { required: true, defined: true },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    path: { length: [1, 4096] },
    label: { length: [2, 128], trimmed: true },
    mount_options: { length: [1, 128], unique: true, items: [0, 32] },
    create_options: { length: [1, 128], unique: true, items: [0, 32] },
  },
  'metalstack.api.v2.FilesystemLayout': {
    id: { length: [2, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.LogicalVolume': {
    name: { length: [2, 128] },
    volume_group: { length: [2, 128] },
    lvm_type: { defined: true },
  },
  'metalstack.api.v2.Raid': {
    array_name: { length: [2, 128], trimmed: true },
    devices: { length: [2, 128], trimmed: true, items: [0, 128] },
    level: { required: true, defined: true },
    create_options: { length: [1, 128], unique: true, items: [0, 32] },
  },
  'metalstack.api.v2.VolumeGroup': {
    name: { length: [2, 128] },
    devices: { length: [2, 128], trimmed: true, items: [0, 128] },
    tags: { length: [2, 128], trimmed: true, items: [0, 128] },
  },
};
