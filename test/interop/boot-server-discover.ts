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

/** `node boot-server-discover.ts pxe|plain <mac>`: broadcasts a DISCOVER and prints every offer as JSON. */
const [kind, text = ''] = process.argv.slice(2);
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
});
await new Promise<void>((resolve) => {
  socket.bind(68, '0.0.0.0', resolve);
});
socket.setBroadcast(true);
socket.send(discover, 67, '255.255.255.255');
// dhcpd pings the address before it offers it, for a second.
await pause(3_000);
socket.close();
process.stdout.write(JSON.stringify(offers));
