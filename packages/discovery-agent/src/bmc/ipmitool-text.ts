/** Reads what ipmitool prints: `Key : value` lines, where a line without a key continues the one above. */

/** Values by key, both trimmed; the first of several equal keys counts. */
export function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s?(\S[^:]*?)\s*:\s?(.*)$/.exec(line);
    const key = match?.[1];
    if (key !== undefined && !fields.has(key)) fields.set(key, match?.[2]?.trim() ?? '');
  }
  return fields;
}

export interface BmcLan {
  readonly ip: string;
  readonly mac: string;
}

/** `ipmitool lan print`; `undefined` unless it holds an address that can be talked to. */
export function parseLan(text: string): BmcLan | undefined {
  const fields = parseFields(text);
  const ip = fields.get('IP Address') ?? '';
  const mac = (fields.get('MAC Address') ?? '').toLowerCase();
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(ip) || ip === '0.0.0.0') return undefined;
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) return undefined;
  return { ip, mac };
}

/** Labels by field name, as in `metalstack.api.v2.MachineFRU`. */
const fruLabels = [
  ['chassisPartNumber', 'Chassis Part Number'],
  ['chassisPartSerial', 'Chassis Serial'],
  ['boardMfg', 'Board Mfg'],
  ['boardMfgSerial', 'Board Serial'],
  ['boardPartNumber', 'Board Part Number'],
  ['productManufacturer', 'Product Manufacturer'],
  ['productPartNumber', 'Product Part Number'],
  ['productSerial', 'Product Serial'],
] as const;

/** What the FRU lacks is absent. */
export type Fru = Partial<Record<(typeof fruLabels)[number][0], string>>;

/** `ipmitool fru print 0`. */
export function parseFru(text: string): Fru {
  const fields = parseFields(text);
  const fru: Fru = {};
  for (const [key, label] of fruLabels) {
    const value = fields.get(label) ?? '';
    if (value !== '') fru[key] = value.slice(0, 256);
  }
  return fru;
}
