export * from './gen/metalstack/infra/v2/bmc_pb.ts';
export * from './gen/metalstack/infra/v2/boot_pb.ts';
export * from './gen/metalstack/infra/v2/component_pb.ts';
export * from './gen/metalstack/infra/v2/event_pb.ts';
export * from './gen/metalstack/infra/v2/switch_pb.ts';
