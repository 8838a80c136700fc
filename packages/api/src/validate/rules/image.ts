import type { RuleTable } from '../rule.ts';

/** Images and layouts. Source: the validation rules of metal-stack's api v0.5.0. */
export const imageRules: RuleTable = {
  'metalstack.admin.v2.FilesystemServiceCreateRequest': {
    filesystem_layout: { required: true },
  },
  'metalstack.admin.v2.FilesystemServiceDeleteRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.admin.v2.FilesystemServiceUpdateRequest': {
    id: { length: [2, 128] },
    update_meta: { required: true },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.admin.v2.ImageServiceCreateRequest': {
    image: { required: true },
  },
  'metalstack.admin.v2.ImageServiceDeleteRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.admin.v2.ImageServiceUpdateRequest': {
    id: { length: [2, 128] },
    update_meta: { required: true },
    url: { format: 'uri' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    features: { defined: true },
    classification: { defined: true },
  },
  'metalstack.admin.v2.MatchMachineAndFilesystemLayout': {
    machine: { format: 'uuid' },
    filesystem_layout: { length: [2, 128] },
  },
  'metalstack.api.v2.FilesystemServiceGetRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.api.v2.FilesystemServiceListRequest': {
    id: { length: [2, 128] },
  },
};
