export * from './gen/metalstack/admin/v2/component_pb.ts';
export * from './gen/metalstack/admin/v2/machine_pb.ts';
export * from './gen/metalstack/admin/v2/partition_pb.ts';
export * from './gen/metalstack/admin/v2/switch_pb.ts';
export * from './gen/metalstack/admin/v2/token_pb.ts';
