import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nodeNetwork, portHolders } from '../src/index.ts';
import { fromProc } from '../src/native/port-holders.ts';

it('finds every socket of a port, the same as /proc has them', async () => {
  await using socket = await nodeNetwork().bindUdp({ address: '127.0.0.1', port: 0, reuseAddress: true });
  const { port } = socket.address;
  await using second = await nodeNetwork().bindUdp({ address: '127.0.0.2', port, interface: 'lo' });
  expect(second.address.port).toBe(port);
  const found = portHolders(port).toSorted((a, b) => a.address.localeCompare(b.address));
  expect(found.map(({ address, interfaceIndex }) => [address, interfaceIndex])).toEqual([
    ['127.0.0.1', 0],
    ['127.0.0.2', 1],
  ]);
  const inProc = fromProc(readFileSync('/proc/net/udp', 'latin1'), port);
  expect(new Set(inProc.map(({ inode }) => inode))).toEqual(new Set(found.map(({ inode }) => inode)));
});

it('finds nothing where there is nothing', () => {
  expect(portHolders(1)).toEqual([]);
});

it('reads addresses of /proc/net/udp, and nothing out of rubbish', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  123: 0100000A:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0
  124: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0 0
rubbish\n`;
  expect(fromProc(text, 67)).toEqual([{ address: '10.0.0.1', inode: 4711, interfaceIndex: undefined }]);
});
