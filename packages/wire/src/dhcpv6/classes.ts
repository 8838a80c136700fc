import { view } from '../bytes.ts';
import { Cursor, setUint16, setUint32 } from '../cursor.ts';
import { accept } from '../result.ts';
import type { Decoded, Read } from '../result.ts';
import { latin1 } from '../text.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { decodeDhcp6Options, findDhcp6Option, withDhcp6Options } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** Option 16: `PXEClient:Arch:00007:UNDI:003000` of 343 (Intel) from UEFI firmware. */
export interface Dhcp6VendorClass {
  /** IANA private enterprise number. */
  readonly enterprise: number;
  /** One character a byte. */
  readonly classes: readonly string[];
}

/** Option 17. */
export interface Dhcp6VendorOptions {
  readonly enterprise: number;
  readonly options: readonly Dhcp6Option[];
}

/** Option 37: who relayed it, in the words of the relay's maker. */
export interface Dhcp6RemoteId {
  readonly enterprise: number;
  readonly id: Uint8Array;
}

/** Option 15: the user classes, one character a byte. iPXE sends one, `iPXE`. */
export function readDhcp6UserClasses(options: readonly Dhcp6Option[]): Read<readonly string[]> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.USER_CLASS);
  return data === undefined ? undefined : readTexts(new Cursor(data), 'user class');
}

/** Option 60: parameters for what option 59 loads. */
export function readBootFileParameters(options: readonly Dhcp6Option[]): Read<readonly string[]> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.BOOT_FILE_PARAMETERS);
  return data === undefined ? undefined : readTexts(new Cursor(data), 'boot file parameter');
}

/** Every option 16; one malformed refuses them all. */
export function readDhcp6VendorClasses(options: readonly Dhcp6Option[]): Decoded<readonly Dhcp6VendorClass[]> {
  const found: Dhcp6VendorClass[] = [];
  for (const { code, data } of options) {
    if (code !== Dhcp6OptionCode.VENDOR_CLASS) continue;
    const cursor = new Cursor(data);
    const enterprise = cursor.uint32('enterprise number');
    const classes = readTexts(cursor, 'vendor class');
    if (!classes.ok) return classes;
    found.push({ enterprise, classes: classes.value });
  }
  return accept(found);
}

/** Every option 17; one malformed refuses them all. */
export function readDhcp6VendorOptions(options: readonly Dhcp6Option[]): Decoded<readonly Dhcp6VendorOptions[]> {
  const found: Dhcp6VendorOptions[] = [];
  for (const { code, data } of options) {
    if (code !== Dhcp6OptionCode.VENDOR_OPTIONS) continue;
    const cursor = new Cursor(data);
    const enterprise = cursor.uint32('enterprise number');
    if (cursor.overrun !== undefined) return cursor.overrun;
    const inner = decodeDhcp6Options(data, 4);
    if (!inner.ok) return inner;
    found.push({ enterprise, options: inner.value });
  }
  return accept(found);
}

/** Option 37 of a relay message. */
export function readDhcp6RemoteId(options: readonly Dhcp6Option[]): Read<Dhcp6RemoteId> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.REMOTE_ID);
  if (data === undefined) return undefined;
  const cursor = new Cursor(data);
  const enterprise = cursor.uint32('enterprise number');
  return cursor.overrun ?? accept({ enterprise, id: view(data, 4, data.length) });
}

export function dhcp6UserClassOption(classes: readonly Uint8Array[]): Dhcp6Option {
  return { code: Dhcp6OptionCode.USER_CLASS, data: prefixed(classes) };
}

export function bootFileParametersOption(parameters: readonly Uint8Array[]): Dhcp6Option {
  return { code: Dhcp6OptionCode.BOOT_FILE_PARAMETERS, data: prefixed(parameters) };
}

export function dhcp6VendorClassOption(enterprise: number, classes: readonly Uint8Array[]): Dhcp6Option {
  const tail = prefixed(classes);
  const data = new Uint8Array(4 + tail.length);
  setUint32(data, 0, enterprise);
  data.set(tail, 4);
  return { code: Dhcp6OptionCode.VENDOR_CLASS, data };
}

export function dhcp6VendorOptionsOption({ enterprise, options }: Dhcp6VendorOptions): Dhcp6Option {
  const head = new Uint8Array(4);
  setUint32(head, 0, enterprise);
  return { code: Dhcp6OptionCode.VENDOR_OPTIONS, data: withDhcp6Options(head, options) };
}

/** Texts with two bytes of length before each, up to the end. */
function readTexts(cursor: Cursor, what: string): Decoded<readonly string[]> {
  const texts: string[] = [];
  while (cursor.remaining > 0) texts.push(latin1(cursor.take(cursor.uint16(`length of ${what}`), what)));
  return cursor.overrun ?? accept(texts);
}

function prefixed(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 2 + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    setUint16(bytes, offset, part.length);
    bytes.set(part, offset + 2);
    offset += 2 + part.length;
  }
  return bytes;
}
