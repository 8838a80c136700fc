import {
  decodeClasslessRoutes,
  hex,
  ipv4OfNumber,
  latin1,
  messageTypeName,
  MessageType,
  OptionCode,
  type DhcpOption,
  type DhcpPacket,
} from '@ingot/wire';
import type { SimulatedOption } from './wire.ts';

type Form = (data: Uint8Array) => string | undefined;

const addresses: Form = (data) => {
  if (data.length === 0 || data.length % 4 !== 0) return undefined;
  const view = Buffer.from(data);
  return Array.from({ length: data.length / 4 }, (_value, index) => ipv4OfNumber(view.readUInt32BE(index * 4))).join(
    ', ',
  );
};
const seconds: Form = (data) => (data.length === 4 ? `${Buffer.from(data).readUInt32BE()} s` : undefined);
const text: Form = (data) => (/^[\x20-\x7e]*$/.test(latin1(data)) ? latin1(data) : undefined);
const number: Form = (data) => (data.length === 2 ? String(Buffer.from(data).readUInt16BE()) : undefined);
const messageType: Form = ([value]) => {
  const type = Object.values(MessageType).find((each) => each === value);
  return type === undefined ? undefined : messageTypeName(type);
};
const routes: Form = (data) => {
  const decoded = decodeClasslessRoutes(data);
  if (!decoded.ok) return undefined;
  return decoded.value.map((route) => JSON.stringify(route)).join(', ');
};

/** How to show each option; the others, and what does not fit, are shown as hex digits. */
const FORMS: ReadonlyMap<number, Form> = new Map<number, Form>([
  [OptionCode.SUBNET_MASK, addresses],
  [OptionCode.ROUTERS, addresses],
  [OptionCode.DNS_SERVERS, addresses],
  [OptionCode.LOG_SERVERS, addresses],
  [OptionCode.HOST_NAME, text],
  [OptionCode.DOMAIN_NAME, text],
  [OptionCode.INTERFACE_MTU, number],
  [OptionCode.BROADCAST_ADDRESS, addresses],
  [OptionCode.NTP_SERVERS, addresses],
  [OptionCode.REQUESTED_ADDRESS, addresses],
  [OptionCode.LEASE_TIME, seconds],
  [OptionCode.MESSAGE_TYPE, messageType],
  [OptionCode.SERVER_ID, addresses],
  [OptionCode.MESSAGE, text],
  [OptionCode.RENEWAL_TIME, seconds],
  [OptionCode.REBINDING_TIME, seconds],
  [OptionCode.VENDOR_CLASS, text],
  [OptionCode.TFTP_SERVER_NAME, text],
  [OptionCode.BOOT_FILE_NAME, text],
  [OptionCode.CLASSLESS_ROUTES, routes],
  [OptionCode.TFTP_SERVER_ADDRESSES, addresses],
]);

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OptionCode).map(([name, code]) => [code, name.toLowerCase().replaceAll('_', ' ')]),
);

/** A reply, field by field and option by option, in the order of the wire; what is empty is left out. */
export function describeReply(packet: DhcpPacket): SimulatedOption[] {
  const field = (name: string, value: string): SimulatedOption[] =>
    value === '' || value === '0.0.0.0' ? [] : [{ code: null, name, value }];
  return [
    ...field('yiaddr', packet.yiaddr),
    ...field('siaddr', packet.siaddr),
    ...field('giaddr', packet.giaddr),
    ...field('sname', untilNul(packet.sname)),
    ...field('file', untilNul(packet.file)),
    ...field('flags', packet.flags === 0 ? '' : `0x${packet.flags.toString(16)}`),
    ...packet.options.map(describeOption),
  ];
}

function describeOption({ code, data }: DhcpOption): SimulatedOption {
  const value = FORMS.get(code)?.(data) ?? hex(data);
  return { code, name: NAMES.get(code) ?? 'option', value };
}

function untilNul(data: Uint8Array): string {
  return latin1(data).replace(/\0.*$/s, '');
}
