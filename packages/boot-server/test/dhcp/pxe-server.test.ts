import { expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy, MockNetwork } from '@ingot/net';
import { MessageType } from '@ingot/wire';
import type { BootDecision } from '../../src/decide/decision.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { startPxeServer } from '../../src/pxe/server.ts';
import { openDatabase } from '../../src/store/database.ts';
import { sightingStore } from '../../src/store/sightings.ts';
import { CLIENTS, ip, MAC_1, message } from '../support/dhcp-messages.ts';

it('a source that hangs holds up 4,096 questions to port 4011 at most, and the next are asked again later', async () => {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(7) });
  const registry = createMetrics();
  let asked = 0;
  let answer: (decision: BootDecision) => void = () => undefined;
  const decision = new Promise<BootDecision>((resolve) => (answer = resolve));
  const server = await startPxeServer(
    {
      network: network.host('server', '10.0.0.1/24'),
      log: new MemoryLogger(),
      metrics: bootMetrics(registry),
      sightings: sightingStore(openDatabase(':memory:'), clock),
      decide: () => {
        asked += 1;
        return decision;
      },
      serverFor: () => ip('10.0.0.1'),
      macOf: () => undefined,
    },
    [{ address: '10.0.0.1' }],
  );
  onTestFinished(() => server.stop());
  const client = await network.host('client', '10.0.0.50/24').bindUdp({ address: '10.0.0.50', port: 4011 });
  let heard = 0;
  client.onDatagram(() => (heard += 1));
  const ask = message(MessageType.REQUEST, { mac: MAC_1, kind: CLIENTS.edk2, ciaddr: ip('10.0.0.50') });
  for (let packet = 0; packet < 4_100; packet += 1) await client.send(ask, { address: '10.0.0.1', port: 4011 });
  await clock.advance(0);
  expect(asked).toBe(4_096);
  expect(await registry.text()).toContain('service="pxe",reason="overloaded"} 4');
  answer({ kind: 'chain-tftp', path: 'snponly.efi', firmware: 'efiX64' });
  await clock.advance(0);
  expect(heard).toBe(4_096);
  await client.send(ask, { address: '10.0.0.1', port: 4011 });
  await clock.advance(0);
  expect(heard).toBe(4_097);
});
