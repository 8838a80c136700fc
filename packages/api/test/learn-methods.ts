import { loadFileDescriptorSetFromBuffer, type PackageDefinition } from '@grpc/proto-loader';

/** What lies at a path of names in an object. */
export const field = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), value);
/** The serialised files of a reflection answer. */
export const filesOf = (answer: object | undefined): Buffer[] => {
  const files = field(answer, 'file_descriptor_response', 'file_descriptor_proto');
  return Array.isArray(files) ? files.filter((file) => Buffer.isBuffer(file)) : [];
};

/** protobufjs's understanding of serialised files: field 1 of a FileDescriptorSet for each. */
export function definitionOf(files: readonly Buffer[]): PackageDefinition {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(value >> 7)]);
  const set = files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]);
  return loadFileDescriptorSetFromBuffer(Buffer.concat(set), { keepCase: true });
}
