import type { RuleTable } from '../rule.ts';

/** Partitions and what they boot. Source: the validation rules of metal-stack's api v0.5.0. */
export const partitionRules: RuleTable = {
  'metalstack.api.v2.DNSServer': {
    ip: { format: 'ip' },
  },
  'metalstack.api.v2.NTPServer': {
    address: { format: 'ip-or-hostname' },
  },
  'metalstack.api.v2.Partition': {
    id: { length: [2, 128] },
    description: { length: [0, 256] },
    dns_servers: { items: [0, 3] },
    ntp_servers: { items: [0, 10] },
    mgmt_service_addresses: { format: 'host-and-port' },
  },
  'metalstack.api.v2.PartitionBootConfiguration': {
    image_url: { format: 'uri' },
    kernel_url: { format: 'uri' },
    commandline: { length: [0, 4096] },
  },
  'metalstack.api.v2.PartitionServiceGetRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.admin.v2.PartitionServiceCapacityRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.admin.v2.PartitionServiceCreateRequest': {
    partition: { required: true },
  },
  'metalstack.admin.v2.PartitionServiceDeleteRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.admin.v2.PartitionServiceUpdateRequest': {
    id: { length: [2, 128] },
    update_meta: { required: true },
    description: { length: [0, 256] },
    dns_servers: { items: [0, 3] },
    ntp_servers: { items: [0, 10] },
    mgmt_service_addresses: { format: 'host-and-port' },
  },
};
