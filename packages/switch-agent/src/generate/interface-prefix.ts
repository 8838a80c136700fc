import { parsePrefix } from './field-types.ts';
import type { Path, Report } from './report.ts';

/** The address as the key of a row has it. SONiC takes one without a mask for a host's; that is written out, and noted. */
export function interfacePrefix(report: Report, path: Path, text: string): string {
  const prefix = parsePrefix(text);
  if (prefix === undefined || prefix.length !== undefined) return text;
  const whole = `${prefix.address}/${prefix.version === 4 ? 32 : 128}`;
  report.note(path, `${text} has no mask and is taken as ${whole}, as SONiC does; write the mask`);
  return whole;
}
