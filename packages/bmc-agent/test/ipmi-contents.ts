/** What ipmi_sim is filled with: FRU images and sensor records, in bytes as its commands want them. */

const hex = (bytes: readonly number[]): string => bytes.map((byte) => `0x${byte.toString(16)}`).join(' ');
const latin = (text: string): number[] => [...Buffer.from(text, 'latin1')];
/** The byte that makes the sum of an area zero. */
const checksum = (bytes: readonly number[]): number => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;

const field = (text: string): number[] => [0xc0 | text.length, ...latin(text)];

/** An area of the FRU specification, v1.0, chapters 10 to 12: padded to units of eight bytes, with its checksum. */
function area(head: readonly number[], fields: readonly string[]): number[] {
  const body = [...head, ...fields.flatMap(field), 0xc1];
  const units = Math.ceil((body.length + 3) / 8);
  const whole = [1, units, ...body, ...Array.from({ length: units * 8 - body.length - 3 }, () => 0)];
  return [...whole, checksum(whole)];
}

/** The command that gives the BMC's own FRU these texts. */
export function fruCommand(
  chassis: readonly [part: string, serial: string],
  board: readonly [mfg: string, product: string, serial: string, part: string],
  product: readonly [mfg: string, name: string, part: string, version: string, serial: string],
): string {
  const areas = [area([0x17], chassis), area([0, 0, 0, 0], board), area([0], product)];
  let at = 1;
  const offsets = areas.map((bytes) => {
    const offset = at;
    at += bytes.length / 8;
    return offset;
  });
  const header = [1, 0, ...offsets, 0, 0];
  const image = [...header, checksum(header), ...areas.flat()];
  return `mc_add_fru_data 0x20 0 ${image.length} data ${hex(image)}`;
}

const POWER_SUPPLY = 0x08;
const SENSOR_SPECIFIC = 0x6f;

/** The commands that give the BMC a power supply's sensor (IPMI 2.0, tables 42-3 and 43-2) with these bits asserted. */
export function powerSupplyCommands(sensor: number, name: string, bits: readonly number[]): string {
  const key = [0x20, 0, sensor, 0x0a, sensor & 0x0f, 0x7f, 0x40, POWER_SUPPLY, SENSOR_SPECIFIC];
  const masks = [0xff, 0x07, 0xff, 0x07, 0xff, 0x07];
  const rest = [0xc0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...field(name)];
  const none = '0'.repeat(15);
  const record = [...key, ...masks, ...rest];
  return [
    `sensor_add 0x20 0 ${sensor} ${POWER_SUPPLY} ${SENSOR_SPECIFIC}`,
    `sensor_set_event_support 0x20 0 ${sensor} enable scanning per-state ${none} ${none} ${none} ${none}`,
    ...bits.map((bit) => `sensor_set_bit 0x20 0 ${sensor} ${bit} 1 0`),
    `main_sdr_add 0x20 ${hex([0, 0, 0x51, 2, record.length, ...record])}`,
  ].join('\n');
}
