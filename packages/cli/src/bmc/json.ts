import { apiV2, toJson } from '@ingot/api';
import type { Json } from '../output.ts';

/** What is known of a BMC, without its password; undefined when nothing is. */
export function bmcReportJson({ bmcReport }: apiV2.MachineBMCDetails): Json | undefined {
  if (bmcReport === undefined) return undefined;
  const { bmc: access, ...rest } = bmcReport;
  const shown = access === undefined ? {} : { bmc: { ...access, password: '' } };
  return toJson(apiV2.MachineBMCReportSchema, { ...rest, ...shown });
}
