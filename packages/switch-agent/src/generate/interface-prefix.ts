import { parseIpAddress, IP_BITS } from '@ingot/wire';
import type { Path, Report } from './report.ts';

/** The address as the key of a row has it. SONiC takes one without a mask for a host's; that is written out, and noted. */
export function interfacePrefix(report: Report, path: Path, text: string): string {
  const address = parseIpAddress(text);
  if (!address.ok) return text;
  const whole = `${text}/${IP_BITS[address.value.family]}`;
  report.note(path, `${text} has no mask and is taken as ${whole}, as SONiC does; write the mask`);
  return whole;
}
