export * from './gen/ingot/admin/v1/label_pb.ts';
export * from './gen/ingot/admin/v1/wipe_pb.ts';
