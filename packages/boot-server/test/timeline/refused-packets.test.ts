import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MessageType, uint16Option } from '@ingot/wire';
import { openDatabase } from '../../src/store/database.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { localClient, relay } from '../support/dhcp-client.ts';
import { CLIENTS, ip, MAC_1, message } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';

const { DISCOVER, REQUEST } = MessageType;

/** Events of the machine's timeline with the reason of each, one for each repetition. */
function told(lab: Lab): (readonly [string, unknown])[] {
  const entries = lab.server.watch.timeline.find(MAC_1)?.entries ?? [];
  return entries.flatMap(({ event, fields, repeats }) =>
    Array.from({ length: repeats + 1 }, () => [event, fields['reason']] as const),
  );
}

describe('a machine’s timeline has what was refused', () => {
  it.each([
    ['a message type of two bytes', 'malformed', [uint16Option(53, 1)], DISCOVER],
    ['a REQUEST of no address', 'malformed', [], REQUEST],
  ])('%s', async (_what, reason, options, type) => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1', options);
    expect(await via.ask(type, { mac: MAC_1, kind: CLIENTS.biosRom })).toBeUndefined();
    expect(told(lab)).toEqual([['dhcp.dropped', reason]]);
  });

  it('also on port 4011', async () => {
    const lab = await startLab();
    const socket = await lab.network.host('client', '10.0.0.50/24').bindUdp({ address: '10.0.0.50', port: 68 });
    const cut = message(REQUEST, { mac: MAC_1, kind: CLIENTS.edk2 }).subarray(0, 200);
    await socket.send(cut, { address: '10.0.0.1', port: 4011 });
    await lab.clock.advance(0);
    expect(told(lab)).toEqual([['pxe.dropped', 'malformed']]);
  });

  it('because it would have been one broadcast too many', async () => {
    const lab = await startLab({
      config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, subnets: [subnetConfig('10.0.0')] } }),
    });
    const client = await localClient(lab, lab.network.host('client', '10.0.0.50/24'));
    const discover = message(DISCOVER, { mac: MAC_1, kind: CLIENTS.biosRom });
    for (let time = 0; time < 17; time += 1) await client.send(discover);
    const limited = told(lab).filter(([, reason]) => reason === 'broadcast-limit');
    expect(limited).toEqual([['dhcp.dropped', 'broadcast-limit']]);
  });

  it('because the disk is full', async () => {
    const lab = await startLab();
    const disk = openDatabase(join(lab.dataDir, 'boot-server.sqlite'));
    disk.exec("CREATE TRIGGER full BEFORE INSERT ON lease BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    const via = await relay(lab, '10.0.1.1');
    const wants = { code: 50, data: Uint8Array.of(10, 0, 1, 150) };
    expect(await via.ask(REQUEST, { mac: MAC_1, kind: CLIENTS.biosRom }, [wants])).toBeUndefined();
    disk.close();
    expect(told(lab)).toEqual([['dhcp.dropped', 'internal']]);
  });
});

it('port 4011 is a step of a boot: a server that has not seen the DISCOVER knows where the machine is', async () => {
  const lab = await startLab();
  const socket = await lab.network.host('client', '10.0.0.50/24').bindUdp({ address: '10.0.0.50', port: 4011 });
  const asks = message(REQUEST, { mac: MAC_1, kind: CLIENTS.edk2, ciaddr: ip('10.0.0.50') });
  await socket.send(asks, { address: '10.0.0.1', port: 4011 });
  await lab.clock.advance(0);
  expect(lab.server.watch.machines().map(({ stage }) => stage)).toEqual(['offered']);
});
