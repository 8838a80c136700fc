import { toBinary, type DescExtension, type DescFile, type DescMessage, type DescService } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** The files that services are declared in, and all that these import, by what clients ask for. */
export interface DescriptorIndex {
  /** Full names, in order. */
  readonly services: readonly string[];
  /** By name of the proto file: `metalstack/api/v2/common.proto`. */
  file(name: string): DescFile | undefined;
  /** The file that declares a service, method, message, enum or extension of this full name. */
  fileOf(symbol: string): DescFile | undefined;
  /** The file that declares the extension of a message type with this number. */
  fileOfExtension(type: string, number: number): DescFile | undefined;
  /** Numbers of all extensions of a message type, ascending. Undefined if there is no such type. */
  extensionNumbers(type: string): readonly number[] | undefined;
}

const encoded = new WeakMap<DescFile, Uint8Array>();

/** Serialised `google.protobuf.FileDescriptorProto`; anybody may ask for one as often as he likes, so it is kept. */
export function fileBytes(file: DescFile): Uint8Array {
  const known = encoded.get(file);
  if (known !== undefined) return known;
  const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
  encoded.set(file, bytes);
  return bytes;
}

export function createDescriptorIndex(services: readonly DescService[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();

  const addExtension = (extension: DescExtension): void => {
    symbols.set(extension.typeName, extension.file);
    const ofType = extensions.get(extension.extendee.typeName) ?? new Map<number, DescFile>();
    extensions.set(extension.extendee.typeName, ofType.set(extension.number, extension.file));
  };
  const addMessage = (message: DescMessage): void => {
    symbols.set(message.typeName, message.file);
    for (const nested of message.nestedMessages) addMessage(nested);
    for (const nested of message.nestedEnums) symbols.set(nested.typeName, nested.file);
    for (const nested of message.nestedExtensions) addExtension(nested);
  };
  const addFile = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    for (const dependency of file.dependencies) addFile(dependency);
    for (const message of file.messages) addMessage(message);
    for (const one of file.enums) symbols.set(one.typeName, file);
    for (const extension of file.extensions) addExtension(extension);
    for (const service of file.services) {
      symbols.set(service.typeName, file);
      for (const method of service.methods) symbols.set(`${service.typeName}.${method.name}`, file);
    }
  };
  for (const service of services) addFile(service.file);

  return {
    services: services.map(({ typeName }) => typeName).toSorted(),
    file: (name) => files.get(name),
    fileOf: (symbol) => symbols.get(symbol),
    fileOfExtension: (type, number) => extensions.get(type)?.get(number),
    extensionNumbers: (type) =>
      symbols.has(type) ? [...(extensions.get(type)?.keys() ?? [])].toSorted((a, b) => a - b) : undefined,
  };
}
