import { expect, test } from 'vitest';
import {
  BootpOp,
  decodeDhcp,
  ipv4ToNumber,
  MessageType,
  messageTypeOption,
  OptionCode,
  readMessageType,
  readOptions,
  writeDhcp,
  type DhcpOption,
} from '@ingot/wire';
import { answerLeaseTime } from '../../src/dhcp/lease-time.ts';
import { ip } from '../support/dhcp-messages.ts';

const LEASED = ip('10.0.0.100');
const leases = { secondsLeft: (address: number) => (address === ipv4ToNumber(LEASED) ? 599 : undefined) };

interface Question {
  readonly op: BootpOp;
  readonly hlen: number;
  readonly type: MessageType | undefined;
  readonly asksFor: readonly number[] | undefined;
  readonly ciaddr: string;
  readonly from: string;
}

/** What dnsmasq's `dhcp_lease_time` sends, changed. */
function ask(change: Partial<Question> = {}): Uint8Array | undefined {
  const question: Question = {
    op: BootpOp.REQUEST,
    hlen: 0,
    type: MessageType.INFORM,
    asksFor: [OptionCode.LEASE_TIME],
    ciaddr: LEASED,
    from: '127.0.0.1',
    ...change,
  };
  const { op, hlen, type, asksFor, ciaddr, from } = question;
  const options: DhcpOption[] = [
    ...(type === undefined ? [] : [messageTypeOption(type)]),
    ...(asksFor === undefined ? [] : [{ code: OptionCode.PARAMETER_LIST, data: Uint8Array.from(asksFor) }]),
  ];
  const data = writeDhcp({ op, htype: 1, hlen, xid: 0x1234, ciaddr: ip(ciaddr), options });
  if (!data.ok) throw new Error(data.reason);
  return answerLeaseTime(data.value, { address: from, port: 68 }, { leases, serverId: ip('10.0.0.1') });
}

test.each([
  ['the time that the lease still runs', LEASED, '00000257'],
  ['no time without a lease', '10.0.0.101', undefined],
])('the server’s own host is told %s', (_what, ciaddr, time) => {
  const decoded = decodeDhcp(ask({ ciaddr }) ?? new Uint8Array());
  if (!decoded.ok) throw new Error(decoded.reason);
  const options = readOptions(decoded.value);
  expect(decoded.value).toMatchObject({ op: BootpOp.REPLY, htype: 1, hlen: 0, xid: 0x1234, ciaddr });
  expect(readMessageType(options)).toEqual({ ok: true, value: MessageType.ACK });
  expect(options.get(OptionCode.SERVER_ID)).toEqual(Uint8Array.of(10, 0, 0, 1));
  const told = options.get(OptionCode.LEASE_TIME);
  expect(told === undefined ? undefined : Buffer.from(told).toString('hex')).toBe(time);
});

test.each<[string, Partial<Question>]>([
  ['who is another host', { from: '10.0.0.7' }],
  ['a reply', { op: BootpOp.REPLY }],
  ['a client with a hardware address', { hlen: 6 }],
  ['another kind of message', { type: MessageType.REQUEST }],
  ['a message of no kind', { type: undefined }],
  ['who asks for other options', { asksFor: [OptionCode.ROUTERS] }],
  ['who asks for none', { asksFor: undefined }],
])('no such answer to %s', (_what, change) => {
  expect(ask(change)).toBeUndefined();
});

test('no such answer to what is no DHCP message', () => {
  const source = { address: '127.0.0.1', port: 68 };
  expect(answerLeaseTime(new Uint8Array(40), source, { leases, serverId: ip('10.0.0.1') })).toBeUndefined();
});
