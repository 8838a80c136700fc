import { expect, it } from 'vitest';
import {
  followingNetwork,
  interfaceWatch,
  MockClock,
  MockNetwork,
  type Datagram,
  type InterfaceWatch,
} from '../src/index.ts';

function lab(): {
  clock: MockClock;
  indexes: Map<string, number>;
  changes: string[];
  watch: InterfaceWatch;
} {
  const clock = new MockClock();
  const indexes = new Map([['eth1', 5]]);
  const changes: string[] = [];
  const watch = interfaceWatch({
    clock,
    indexOf: (name) => indexes.get(name),
    onChange: (name, change, error) => changes.push([name, change, error?.message ?? ''].join(' ').trim()),
  });
  return { clock, indexes, changes, watch };
}

it('tells once that an interface is gone and once that it is there anew', async () => {
  const { clock, indexes, changes, watch } = lab();
  let rebinds = 0;
  watch.follow('eth1', async () => void (rebinds += 1));
  await clock.advance(5_000);
  expect([rebinds, changes]).toEqual([0, []]);
  indexes.delete('eth1');
  await clock.advance(5_000);
  expect([rebinds, changes]).toEqual([0, ['eth1 gone']]);
  indexes.set('eth1', 9);
  await clock.advance(5_000);
  expect([rebinds, changes]).toEqual([1, ['eth1 gone', 'eth1 anew']]);
});

it('notices one that was made anew between two looks, and one that came back under its old number', async () => {
  const { clock, indexes, watch } = lab();
  let rebinds = 0;
  watch.follow('eth1', async () => void (rebinds += 1));
  indexes.set('eth1', 6);
  await clock.advance(1_000);
  expect(rebinds).toBe(1);
  indexes.delete('eth1');
  await clock.advance(1_000);
  indexes.set('eth1', 6);
  await clock.advance(1_000);
  expect(rebinds).toBe(2);
});

it('tries again until the listener could follow, and complains once', async () => {
  const { clock, indexes, changes, watch } = lab();
  let tries = 0;
  watch.follow('eth1', async () => {
    tries += 1;
    if (tries < 4) throw new Error('no address yet');
  });
  indexes.set('eth1', 6);
  await clock.advance(10_000);
  expect([tries, changes]).toEqual([4, ['eth1 anew', 'eth1 failed no address yet']]);
});

it('looks at nothing any more when nothing is followed', async () => {
  const { clock, watch } = lab();
  const ends = [watch.follow('eth1', async () => undefined), watch.follow('eth2', async () => undefined)];
  expect(clock.pendingTimers).toBe(1);
  for (const end of ends) end();
  expect(clock.pendingTimers).toBe(0);
});

it('a socket of an interface goes on with its handlers, its port and its sender where that was made anew', async () => {
  const { clock, indexes, watch } = lab();
  const net = new MockNetwork({ clock });
  const host = net.host('host', '10.0.0.1/24');
  const other = await net.host('other', '10.0.0.2/24').bindUdp({ address: '10.0.0.2', port: 68 });
  const link = host.attachments[0]?.link ?? '';
  indexes.set(link, 5);
  const bound: number[] = [];
  const network = followingNetwork(
    {
      interfaceAddresses: (name) => host.interfaceAddresses(name),
      bindUdp: (options) => {
        bound.push(options.port);
        return host.bindUdp(options);
      },
    },
    watch,
  );
  const socket = await network.bindUdp({ address: '0.0.0.0', port: 0, interface: link });
  const { port } = socket.address;
  const heard: string[] = [];
  const note =
    (kind: string) =>
    (...datagrams: Datagram[]): void => {
      for (const { data } of datagrams) heard.push(`${kind} ${data[0] ?? ''}`);
    };
  socket.onDatagram(note('one'));
  socket.onBatch((batch) => note('batch')(...batch));
  const answers: (number | undefined)[] = [];
  other.onDatagram(({ data }) => answers.push(data[0]));
  const exchange = async (byte: number): Promise<void> => {
    await other.send(Uint8Array.of(byte), { address: '10.0.0.1', port });
    await socket.send(Uint8Array.of(byte), { address: '10.0.0.2', port: 68 }).catch(() => undefined);
    await clock.advance(0);
  };
  await exchange(1);
  indexes.set(link, 6);
  await clock.advance(1_000);
  await exchange(2);
  expect(bound).toEqual([0, port]);
  expect(heard).toEqual(['one 1', 'batch 1', 'one 2', 'batch 2']);
  expect(answers).toEqual([1, 2]);
  await socket.close();
  await exchange(3);
  expect(heard).toHaveLength(4);
  expect(clock.pendingTimers).toBe(0);
  await expect(socket.send(new Uint8Array(1), { address: '10.0.0.2', port: 68 })).rejects.toMatchObject({
    code: 'NET_SOCKET_CLOSED',
  });
});

it('a socket of an address alone is left as it is', async () => {
  const { clock, watch } = lab();
  const host = new MockNetwork({ clock }).host('host', '10.0.0.1/24');
  await followingNetwork(host, watch).bindUdp({ address: '10.0.0.1', port: 67 });
  expect(clock.pendingTimers).toBe(0);
});
