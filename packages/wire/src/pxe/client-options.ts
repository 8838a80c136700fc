import { byteAt, view } from '../bytes.ts';
import { uint16At } from '../cursor.ts';
import { OptionCode } from '../dhcp/option-code.ts';
import type { OptionMap } from '../dhcp/option-map.ts';
import type { DhcpOption } from '../dhcp/packet.ts';
import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import { latin1, trimNuls } from '../text.ts';
import { bytesOfMachineUuid, machineUuidOfBytes } from '../uuid.ts';
import type { MachineUuid } from '../uuid.ts';

/** Option 93: one architecture number or several, in the client's order of preference (RFC 4578 §2.1). */
export function readClientArchs(options: OptionMap): Read<readonly number[]> {
  const data = options.get(OptionCode.CLIENT_ARCH);
  if (data === undefined) return undefined;
  if (data.length === 0 || data.length % 2 !== 0) {
    return malformed(0, `option 93 has ${data.length} bytes, not two for each architecture`);
  }
  return accept(Array.from({ length: data.length / 2 }, (_, index) => uint16At(data, index * 2)));
}

/** Option 94: the client's network interface. Type 1 is UNDI. */
export interface ClientInterface {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

/** Option 94 (RFC 4578 §2.2). */
export function readClientInterface(options: OptionMap): Read<ClientInterface> {
  const data = options.get(OptionCode.CLIENT_INTERFACE);
  if (data === undefined) return undefined;
  if (data.length !== 3) return malformed(0, `option 94 has ${data.length} bytes, not 3`);
  return accept({ type: byteAt(data, 0), major: byteAt(data, 1), minor: byteAt(data, 2) });
}

/** Option 97: type 0 and the SMBIOS UUID (RFC 4578 §2.3). To echo it, copy the raw option. */
export function readMachineUuid(options: OptionMap): Read<MachineUuid> {
  const data = options.get(OptionCode.CLIENT_MACHINE_ID);
  if (data === undefined) return undefined;
  if (data.length !== 17) return malformed(0, `option 97 has ${data.length} bytes, not 17`);
  if (byteAt(data, 0) !== 0) return malformed(0, `option 97 is of type ${byteAt(data, 0)}, not 0 (UUID)`);
  return machineUuidOfBytes(view(data, 1, data.length));
}

export function machineUuidOption(uuid: MachineUuid): DhcpOption {
  const data = new Uint8Array(17);
  data.set(bytesOfMachineUuid(uuid), 1);
  return { code: OptionCode.CLIENT_MACHINE_ID, data };
}

/** Option 60 of a network boot client. */
export interface BootClient {
  /** Which answer it waits for: option 60 of the reply must begin with the same word. */
  readonly kind: 'PXEClient' | 'HTTPClient';
  /** From `:Arch:00007`. iPXE chained by iPXE leaves it out. */
  readonly arch?: number;
  /** From `:UNDI:003016`: major 3, minor 16. */
  readonly undi?: { readonly major: number; readonly minor: number };
}

const VENDOR_CLASS = /^(PXEClient|HTTPClient)(?::Arch:(\d{5})(?::UNDI:(\d{3})(\d{3}))?)?/;

/** Option 60 if it is a network boot client's; `undefined` for every other class. Text behind the known part is borne. */
export function readBootClient(options: OptionMap): BootClient | undefined {
  const data = options.get(OptionCode.VENDOR_CLASS);
  const match = data && VENDOR_CLASS.exec(latin1(trimNuls(data)));
  if (!match) return undefined;
  const [, kind, arch, major, minor] = match;
  return {
    kind: kind === 'HTTPClient' ? 'HTTPClient' : 'PXEClient',
    ...(arch !== undefined && { arch: Number(arch) }),
    ...(major !== undefined && { undi: { major: Number(major), minor: Number(minor) } }),
  };
}
