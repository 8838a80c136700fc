import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import {
  BootpOp,
  buildDhcp,
  bytesOfMac,
  decodeDhcp,
  encodeDhcp,
  messageTypeOption,
  MessageType,
  OptionCode,
  parseMac,
  readOptions,
  textOption,
  uint16Option,
} from '@ingot/wire';

/**
 * `node boot-server-discover.ts pxe|plain <mac> <count>`: broadcasts a DISCOVER and prints every offer as JSON, a second
 * after there are `count` of them, or 30 s after it asked.
 */
const [kind, text = '', count = ''] = process.argv.slice(2);
const mac = parseMac(text);
if (!mac.ok) throw new Error(mac.reason);
const boot =
  kind === 'pxe'
    ? [textOption(OptionCode.VENDOR_CLASS, 'PXEClient:Arch:00007:UNDI:003000'), uint16Option(OptionCode.CLIENT_ARCH, 7)]
    : [];
const built = buildDhcp({
  op: BootpOp.REQUEST,
  xid: 0x1007,
  flags: 0x8000,
  chaddr: bytesOfMac(mac.value),
  options: [messageTypeOption(MessageType.DISCOVER), ...boot],
});
if (!built.ok) throw new Error(built.reason);
const discover = encodeDhcp(built.value);
const offers: unknown[] = [];
const enough = Promise.withResolvers<void>();
const socket = createSocket('udp4');
socket.on('message', (data) => {
  const decoded = decodeDhcp(data);
  if (!decoded.ok) return;
  const { yiaddr, siaddr, file } = decoded.value;
  const vendorClass = readOptions(decoded.value).get(OptionCode.VENDOR_CLASS);
  offers.push({
    yiaddr,
    siaddr,
    vendorClass: vendorClass === undefined ? null : Buffer.from(vendorClass).toString(),
    file: Buffer.from(file).toString('latin1').replace(/\0.*$/s, ''),
  });
  if (offers.length === Number(count)) enough.resolve();
});
await new Promise<void>((resolve) => {
  socket.bind(68, '0.0.0.0', resolve);
});
socket.setBroadcast(true);
socket.send(discover, 67, '255.255.255.255');
const late = new AbortController();
await Promise.race([enough.promise, pause(30_000, undefined, { signal: late.signal })]);
late.abort();
// Time for those that should not come.
await pause(1_000);
socket.close();
process.stdout.write(JSON.stringify(offers));
