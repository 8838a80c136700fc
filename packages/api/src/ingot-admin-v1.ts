export * from './gen/ingot/admin/v1/wipe_pb.ts';
