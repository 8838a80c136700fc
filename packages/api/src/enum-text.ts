import { getOption, hasOption, type DescEnum } from '@bufbuild/protobuf';
import { enum_string_value } from './gen/metalstack/api/v2/common_pb.ts';

/**
 * How the contract writes an enum value for people, such as `PXE Booting`; the value's own name where it has no text,
 * the number where it is not defined.
 */
export function enumText(desc: DescEnum, value: number): string {
  const found = desc.values.find((candidate) => candidate.number === value);
  if (found === undefined) return String(value);
  return hasOption(found, enum_string_value) ? getOption(found, enum_string_value) : found.name;
}
