/** Who is at the other end of a cable, as LLDP tells. */
export interface Neighbor {
  /** Own interface that heard it. */
  readonly nic: string;
  /** Chassis id, as text whatever its subtype is. */
  readonly chassisId: string;
  /** Subtype of the chassis id as lldpd names it: `mac`, `ifname`, `local`, … */
  readonly chassisIdType: string;
  /** System name; empty when not sent. */
  readonly sysName: string;
  readonly sysDescription: string;
  readonly portId: string;
  readonly portIdType: string;
  /** Empty when not sent. */
  readonly portDescription: string;
}

export type ParsedNeighbors =
  | { readonly ok: true; readonly value: readonly Neighbor[] }
  | { readonly ok: false; readonly offset: number; readonly reason: string };

/**
 * Reads what `lldpcli -f json show neighbors details` prints, or the same with `-f json0`.
 *
 * The first collapses lists of one and uses names as keys, so that its shape changes with the number of interfaces and
 * with what a neighbour sends; the second always has lists. Records that lack an id are dropped. Neighbours of other
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
  const value = interfaces(field(lldp, 'interface')).flatMap(({ name, record }) => {
    const via = textOf(field(record, 'via'));
    if (via !== '' && via.toUpperCase() !== 'LLDP') return [];
    const chassis = chassisOf(field(record, 'chassis'));
    const port = field(record, 'port');
    const chassisId = idOf(chassis.record);
    const portId = idOf(port);
    if (chassisId.value === '' || portId.value === '') return [];
    return [
      {
        nic: name,
        chassisId: chassisId.value,
        chassisIdType: chassisId.type,
        sysName: chassis.name,
        sysDescription: textOf(field(chassis.record, 'descr')),
        portId: portId.value,
        portIdType: portId.type,
        portDescription: textOf(field(port, 'descr')),
      },
    ];
  });
  return { ok: true, value };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `value[0][name]` of a list, `value[name]` of an object. */
function field(value: unknown, name: string): unknown {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(one) && Object.hasOwn(one, name) ? one[name] : undefined;
}

/** `"x"`, `{"value": "x"}` and `[{"value": "x"}]` all say x. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const inner = field(value, 'value');
  return typeof inner === 'string' ? inner : '';
}

function idOf(owner: unknown): { type: string; value: string } {
  const id = field(owner, 'id');
  return { type: textOf(field(id, 'type')), value: textOf(id) };
}

/** json: `{"eth0": {…}}`, or a list of such; json0: a list of `{"name": "eth0", …}`. */
function interfaces(value: unknown): { name: string; record: Json }[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((item) => {
    if (!isObject(item)) return [];
    if (typeof item['name'] === 'string') return [{ name: item['name'], record: item }];
    return Object.entries(item).flatMap(([name, record]) => (isObject(record) ? [{ name, record }] : []));
  });
}

/** json: `{"leaf1": {"id": …}}`, or `{"id": …}` when no name was sent; json0: a list of one with `name` inside. */
function chassisOf(value: unknown): { name: string; record: unknown } {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  if (!isObject(one)) return { name: '', record: undefined };
  if (idOf(one).value !== '') return { name: textOf(one['name']), record: one };
  const [name = '', record] = Object.entries(one)[0] ?? [];
  return { name, record };
}
