/** Who is at the other end of a cable, as LLDP tells. Texts are as sent, at most 255 characters, control characters out. */
export interface Neighbor {
  /** Own interface that heard it. */
  readonly nic: string;
  /** Chassis id, as text whatever its subtype is; hex digits where it is no text. Empty where lldpd cannot show it. */
  readonly chassisId: string;
  /**
   * Subtype as lldpd names it: `mac`, `ifname`, `ifalias`, `ip`, `local`; `unhandled` is a chassis component, a port
   * component or an agent circuit id.
   */
  readonly chassisIdType: string;
  /** System name; empty when not sent. */
  readonly sysName: string;
  readonly sysDescription: string;
  readonly portId: string;
  readonly portIdType: string;
  /** Empty when not sent. */
  readonly portDescription: string;
  /** What the system can do, as lldpd names it: `Bridge`, `Router`, `Station`, … Empty when not sent. */
  readonly capabilities: readonly Capability[];
  /** How long the sender wants to be believed; 0 when lldpd does not say. lldpd forgets it after that. */
  readonly ttlSeconds: number;
  /** Since when lldpd knows it. */
  readonly ageSeconds: number;
}

export interface Capability {
  readonly type: string;
  readonly enabled: boolean;
}

export type ParsedNeighbors =
  | { readonly ok: true; readonly value: readonly Neighbor[] }
  | { readonly ok: false; readonly offset: number; readonly reason: string };

/** lldpd itself keeps 32 neighbours a port by default. */
const maxNeighbors = 1024;
/** The longest that a TLV's text may be (IEEE 802.1AB-2016 8.5.5–8.5.7). */
const maxText = 255;
const maxCapabilities = 16;

/**
 * Reads what `lldpcli -f json0 show neighbors details` prints, or the same with `-f json`.
 *
 * The first always has lists; the second collapses lists of one and uses names as keys, so that its shape changes with
 * the number of interfaces and with what a neighbour sends. Records that lack an id are dropped. Neighbours of other
 * protocols (CDP, …) are too: their ids mean something else.
 */
export function parseNeighbors(text: string): ParsedNeighbors {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { ok: false, offset: 0, reason: `lldpcli printed no JSON: ${String(error)}` };
  }
  const lldp = field(parsed, 'lldp');
  if (lldp === undefined) return { ok: false, offset: 0, reason: 'lldpcli printed JSON without "lldp"' };
  const records = interfaces(field(lldp, 'interface')).slice(0, maxNeighbors);
  return { ok: true, value: records.flatMap(({ name, record }) => neighborOf(name, record) ?? []) };
}

function neighborOf(nic: string, record: Json): Neighbor | undefined {
  const via = textOf(field(record, 'via'));
  if (via !== '' && via.toUpperCase() !== 'LLDP') return undefined;
  const chassis = chassisOf(field(record, 'chassis'));
  const port = field(record, 'port');
  const chassisId = idOf(chassis.record);
  const portId = idOf(port);
  if (chassisId.type === '' || portId.value === '' || (chassisId.value === '' && chassis.name === '')) return undefined;
  return {
    nic,
    chassisId: chassisId.value,
    chassisIdType: chassisId.type,
    sysName: clean(chassis.name),
    sysDescription: textOf(field(chassis.record, 'descr')),
    portId: portId.value,
    portIdType: portId.type,
    portDescription: textOf(field(port, 'descr')),
    capabilities: capabilitiesOf(field(chassis.record, 'capability')),
    ttlSeconds: Number(/^\d{1,5}$/.exec(textOf(field(port, 'ttl')))?.[0] ?? 0),
    ageSeconds: secondsOf(textOf(field(record, 'age'))),
  };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** `value[0][name]` of a list, `value[name]` of an object. */
function field(value: unknown, name: string): unknown {
  const one: unknown = listOf(value)[0];
  return isObject(one) && Object.hasOwn(one, name) ? one[name] : undefined;
}

/** `"x"`, `{"value": "x"}` and `[{"value": "x"}]` all say x. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  const inner = field(value, 'value');
  return typeof inner === 'string' ? clean(inner) : '';
}

function clean(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, maxText);
}

function idOf(owner: unknown): { readonly type: string; readonly value: string } {
  const id = field(owner, 'id');
  const type = textOf(field(id, 'type'));
  const value = textOf(id);
  // What lldpd has no text for it prints byte by byte. A component's name is text nevertheless.
  const isBytes = (type === 'unhandled' || type === 'ip') && /^[0-9a-f]{2}( [0-9a-f]{2})*$/.test(value);
  return { type, value: isBytes ? readable(value.replaceAll(' ', '')) : value };
}

function readable(digits: string): string {
  const text = Buffer.from(digits, 'hex').toString('utf8');
  return /^[^\p{Cc}\p{Cf}\uFFFD]+$/u.test(text) ? text.trim() : digits;
}

function capabilitiesOf(value: unknown): Capability[] {
  return listOf(value)
    .slice(0, maxCapabilities)
    .flatMap((one) => {
      const type = textOf(field(one, 'type'));
      return type === '' ? [] : [{ type, enabled: field(one, 'enabled') === true }];
    });
}

/** `3 days, 04:05:06` */
function secondsOf(age: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^(\d{1,6}) days?, (\d\d):(\d\d):(\d\d)$/.exec(age)?.map(Number) ?? [];
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** json: `{"eth0": {…}}`, or a list of such; json0: a list of `{"name": "eth0", …}`. */
function interfaces(value: unknown): { name: string; record: Json }[] {
  return listOf(value).flatMap((item) => {
    if (!isObject(item)) return [];
    if (typeof item['name'] === 'string') return [{ name: item['name'], record: item }];
    return Object.entries(item).flatMap(([name, record]) => (isObject(record) ? [{ name, record }] : []));
  });
}

/** json: `{"leaf1": {"id": …}}`, or `{"id": …}` when no name was sent; json0: a list of one with `name` inside. */
function chassisOf(value: unknown): { name: string; record: unknown } {
  const one: unknown = listOf(value)[0];
  if (!isObject(one)) return { name: '', record: undefined };
  if (idOf(one).type !== '') return { name: textOf(one['name']), record: one };
  const [name = '', record] = Object.entries(one)[0] ?? [];
  return { name, record };
}
