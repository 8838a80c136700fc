import { expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock, MockNetwork } from '@ingot/net';
import { encodeTftp, tftpAck, tftpReadRequest } from '@ingot/wire';
import { bootMetrics } from '../../src/metrics.ts';
import { nodeEngine } from '../../src/tftp/node-engine.ts';
import { ethernetMtu } from '../../src/tftp/path-mtu.ts';
import { startTftpServer } from '../../src/tftp/server.ts';
import { SERVER, tftpConfig } from '../support/config.ts';

it('a client that asks again and again while its file is opened is served once', async () => {
  const clock = new MockClock();
  const network = new MockNetwork({ clock });
  const [server, machine] = [network.host('server', `${SERVER}/24`), network.host('machine', '10.0.0.9/24')];
  const opened = Promise.withResolvers<void>();
  const metrics = createMetrics();
  const tftp = await startTftpServer(
    {
      clock,
      network: server,
      log: new MemoryLogger(),
      metrics: bootMetrics(metrics),
      config: tftpConfig(),
      engine: nodeEngine({ network: server, clock, singlePort: false }),
      pathMtu: ethernetMtu,
      artifacts: { get: () => Promise.reject(new Error('it is no file')), heldBytes: 0, close: () => undefined },
      published: { open: () => opened.promise.then(() => ({ kind: 'text', text: 'x'.repeat(600) })) },
      macOf: () => undefined,
      uuidOf: () => undefined,
      quirksOf: () => ({}),
    },
    [{ address: SERVER }],
  );
  onTestFinished(() => tftp.stop());
  const socket = await machine.bindUdp({ address: '10.0.0.9', port: 0 });
  const senders: number[] = [];
  socket.onDatagram(({ source }) => void senders.push(source.port));
  const ask = async (): Promise<void> => {
    await socket.send(encodeTftp(tftpReadRequest('slow')), { address: SERVER, port: 69 });
    await clock.advance(0);
  };
  for (let times = 0; times < 3; times += 1) {
    await ask();
    await clock.advance(3_000);
  }
  opened.resolve();
  await clock.advance(0);
  // This one was under way when the first block was sent.
  await ask();
  expect(senders).toHaveLength(1);
  // The transfer goes on from where it began.
  await socket.send(encodeTftp(tftpAck(1)), { address: SERVER, port: senders[0] ?? 0 });
  await clock.advance(0);
  expect(senders).toEqual([senders[0], senders[0]]);
  expect(await metrics.text()).toContain('drops_total{service="tftp",reason="repeated-request"} 3');
});
