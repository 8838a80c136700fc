import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BindOptions, Datagram, Endpoint, Network, UdpSocket } from '../src/index.ts';

/** What the suite needs to run against one implementation. */
export interface Subject {
  readonly network: Network;
  /** Resolves once `condition` holds; rejects when it never does. */
  readonly until: (condition: () => boolean) => Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** What every `Network` does, on loopback. */
export function describeNetwork(name: string, create: () => Subject, common: Partial<BindOptions> = {}): void {
  describe(`${name} as a Network`, () => {
    let subject: Subject;
    const sockets: UdpSocket[] = [];

    beforeEach(() => {
      subject = create();
    });

    afterEach(async () => {
      await Promise.all(sockets.splice(0).map((socket) => socket.close()));
    });

    const bind = async (port = 0, options: Partial<BindOptions> = {}) => {
      const socket = await subject.network.bindUdp({ address: LOOPBACK, port, ...common, ...options });
      sockets.push(socket);
      return socket;
    };
    const inbox = (socket: UdpSocket): Datagram[] => {
      const received: Datagram[] = [];
      socket.onDatagram((datagram) => received.push(datagram));
      return received;
    };
    const at = (socket: UdpSocket): Endpoint => ({ address: LOOPBACK, port: socket.address.port });

    it('carries a datagram with its bytes and the address to answer to', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const received = inbox(bob);
      await alice.send(Uint8Array.of(1, 2, 3), at(bob));
      await subject.until(() => received.length === 1);
      expect(received).toEqual([{ data: Uint8Array.of(1, 2, 3), source: at(alice) }]);
    });

    it('carries an answer back to the source', async () => {
      const [alice, bob] = [await bind(), await bind()];
      bob.onDatagram(({ data, source }) => void bob.send(data.toReversed(), source));
      const received = inbox(alice);
      await alice.send(Uint8Array.of(1, 2), at(bob));
      await subject.until(() => received.length === 1);
      expect(received[0]?.data).toEqual(Uint8Array.of(2, 1));
    });

    it('carries an empty datagram and one of 1472 bytes', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const received = inbox(bob);
      await alice.send(new Uint8Array(0), at(bob));
      await alice.send(new Uint8Array(1472).fill(7), at(bob));
      await subject.until(() => received.length === 2);
      expect(received.map(({ data }) => data.byteLength)).toEqual([0, 1472]);
    });

    it('hands every handler of a socket every datagram', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const [first, second] = [inbox(bob), inbox(bob)];
      await alice.send(Uint8Array.of(9), at(bob));
      await subject.until(() => first.length === 1 && second.length === 1);
    });

    it('gives the bytes away: what the sender does to its buffer afterwards changes nothing', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const received = inbox(bob);
      const buffer = Uint8Array.of(1);
      await alice.send(buffer, at(bob));
      buffer[0] = 2;
      await subject.until(() => received.length === 1);
      expect(received[0]?.data).toEqual(Uint8Array.of(1));
    });

    it('receives loopback traffic on a socket bound to all addresses', async () => {
      const [alice, bob] = [await bind(), await bind(0, { address: '0.0.0.0' })];
      const received = inbox(bob);
      await alice.send(Uint8Array.of(5), at(bob));
      await subject.until(() => received.length === 1);
      expect(received[0]?.source).toEqual(at(alice));
    });

    it('chooses a free port when asked for port 0', async () => {
      const [alice, bob] = [await bind(), await bind()];
      expect(alice.address.port).toBeGreaterThan(0);
      expect(alice.address.port).not.toBe(bob.address.port);
    });

    it('names the port that is in use, and what to do', async () => {
      const { port } = (await bind()).address;
      const refusal = bind(port);
      await expect(refusal).rejects.toMatchObject({ name: 'NetError', code: 'NET_ADDRESS_IN_USE' });
      await expect(refusal).rejects.toThrow(new RegExp(`${port}.*(stop|close|configure)`));
    });

    it('frees the port when closed', async () => {
      const socket = await bind();
      await socket.close();
      await expect(bind(socket.address.port)).resolves.toBeDefined();
    });

    it('lets two sockets that both ask for it share a port', async () => {
      const first = await bind(0, { reuseAddress: true });
      await expect(bind(first.address.port, { reuseAddress: true })).resolves.toBeDefined();
    });

    it('refuses an address that the machine does not have', async () => {
      // TEST-NET-1 (RFC 5737): nobody's address.
      await expect(bind(0, { address: '192.0.2.1' })).rejects.toMatchObject({ code: 'NET_ADDRESS_NOT_AVAILABLE' });
    });

    it('refuses a multicast group on an interface that there is not', async () => {
      const refusal = bind(0, { address: '::', groups: [{ address: 'ff02::1:2', interfaceName: 'nowhere0' }] });
      await expect(refusal).rejects.toMatchObject({ code: 'NET_ADDRESS_NOT_AVAILABLE' });
    });

    it('refuses a name or a wrong port to bind', async () => {
      await expect(bind(0, { address: 'localhost' })).rejects.toMatchObject({ code: 'NET_INVALID_ADDRESS' });
      await expect(bind(70_000)).rejects.toMatchObject({ code: 'NET_INVALID_ADDRESS' });
    });

    it.each([
      { address: 'localhost', port: 9 },
      { address: LOOPBACK, port: 0 },
      { address: LOOPBACK, port: 65_536 },
    ])('refuses to send to $address:$port', async (target) => {
      const socket = await bind();
      await expect(socket.send(Uint8Array.of(1), target)).rejects.toMatchObject({ code: 'NET_INVALID_ADDRESS' });
    });

    it('refuses a datagram that is too long for UDP', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const refusal = alice.send(new Uint8Array(65_508), at(bob));
      await expect(refusal).rejects.toMatchObject({ code: 'NET_MESSAGE_TOO_LONG' });
    });

    it('refuses a broadcast from a socket that was not bound for it', async () => {
      const socket = await bind(0, { address: '0.0.0.0' });
      const refusal = socket.send(Uint8Array.of(1), { address: '255.255.255.255', port: 9 });
      await expect(refusal).rejects.toMatchObject({ code: 'NET_PERMISSION_DENIED' });
    });

    it('refuses to send once closed, and closes twice without complaint', async () => {
      const socket = await bind();
      await socket.close();
      await socket.close();
      await expect(socket.send(Uint8Array.of(1), { address: LOOPBACK, port: 9 })).rejects.toMatchObject({
        code: 'NET_SOCKET_CLOSED',
      });
    });

    it('does not end the process over a failed send that nobody awaits', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const received = inbox(bob);
      void alice.send(Uint8Array.of(1), { address: 'nowhere', port: 9 });
      await alice.send(Uint8Array.of(1), at(bob));
      await subject.until(() => received.length === 1);
    });

    it('tells onError what a handler throws, and goes on', async () => {
      const [alice, bob] = [await bind(), await bind()];
      const errors: Error[] = [];
      bob.onError((error) => errors.push(error));
      bob.onDatagram(() => {
        throw new Error('a bug in the handler');
      });
      const received = inbox(bob);
      await alice.send(Uint8Array.of(1), at(bob));
      await alice.send(Uint8Array.of(2), at(bob));
      await subject.until(() => received.length === 2);
      expect(errors.map(({ message }) => message)).toEqual(['a bug in the handler', 'a bug in the handler']);
    });

    it('hands a batch handler everything, in order, as one batch or several', async () => {
      const [alice, bob] = [await bind(), await bind(0, { batch: true })];
      const batches: number[][] = [];
      bob.onBatch((datagrams) => batches.push(datagrams.map(({ data }) => data[0] ?? -1)));
      for (let byte = 0; byte < 200; byte += 1) void alice.send(Uint8Array.of(byte), at(bob));
      await subject.until(() => batches.flat().length === 200);
      expect(batches.flat()).toEqual(Array.from({ length: 200 }, (_, byte) => byte));
    });

    it('gives batch handlers and plain ones the same bytes and sources', async () => {
      const [alice, bob] = [await bind(), await bind(0, { batch: true })];
      const single = inbox(bob);
      const batched: Datagram[] = [];
      bob.onBatch((datagrams) => batched.push(...datagrams));
      const sent = [0, 1, 300, 1472, 9000].map((size) => new Uint8Array(size).fill(size));
      for (const data of sent) await alice.send(data, at(bob));
      await subject.until(() => single.length === 5 && batched.length === 5);
      expect(batched).toEqual(sent.map((data) => ({ data, source: at(alice) })));
      expect(single).toEqual(batched);
    });

    it('sends a batch in order, long datagrams too, and tells of each that cannot go', async () => {
      const [alice, bob] = [await bind(0, { batch: true }), await bind()];
      const received = inbox(bob);
      const failures: string[] = [];
      const to = at(bob);
      alice.sendBatch(
        [
          { data: Uint8Array.of(1), target: to },
          { data: Uint8Array.of(2), target: { address: 'nowhere', port: 9 } },
          { data: new Uint8Array(9000).fill(3), target: to },
          { data: new Uint8Array(65_508), target: to },
          { data: Uint8Array.of(4), target: { address: '255.255.255.255', port: 9 } },
          { data: Uint8Array.of(5), target: to },
        ],
        (failed, error) => failures.push(`${failed.data[0]} ${'code' in error ? String(error.code) : error.message}`),
      );
      await subject.until(() => received.length === 3 && failures.length === 3);
      expect(new Set(received.map(({ data }) => data[0]))).toEqual(new Set([1, 3, 5]));
      expect(failures.toSorted()).toEqual([
        '0 NET_MESSAGE_TOO_LONG',
        '2 NET_INVALID_ADDRESS',
        '4 NET_PERMISSION_DENIED',
      ]);
    });

    it('sends a long batch of all sizes to several targets', async () => {
      const [alice, bob, carol] = [await bind(0, { batch: true }), await bind(), await bind()];
      const heard = [inbox(bob), inbox(carol)];
      const outgoing = Array.from({ length: 400 }, (_, index) => ({
        data: new Uint8Array(index < 200 ? 320 : (index * 37) % 1400).fill(index),
        target: at(index % 7 === 0 ? carol : bob),
      }));
      const failures: Error[] = [];
      for (let sent = 0; sent < 400; sent += 100) {
        alice.sendBatch(outgoing.slice(sent, sent + 100), (_, error) => failures.push(error));
        await subject.until(() => heard.flat().length === sent + 100);
      }
      expect(failures).toEqual([]);
      for (const [index, receiver] of [bob, carol].entries()) {
        const wanted = outgoing.filter(({ target }) => target.port === receiver.address.port);
        expect(heard[index]?.map(({ data }) => data)).toEqual(wanted.map(({ data }) => data));
      }
    });

    it('sends nothing of a batch once closed', async () => {
      const socket = await bind(0, { batch: true });
      await socket.close();
      const failures: Error[] = [];
      socket.sendBatch([{ data: Uint8Array.of(1), target: { address: LOOPBACK, port: 9 } }], (_, error) =>
        failures.push(error),
      );
      await subject.until(() => failures.length === 1);
      expect(failures[0]).toMatchObject({ code: 'NET_SOCKET_CLOSED' });
    });

    it('tells onError what a batch handler throws, and goes on', async () => {
      const [alice, bob] = [await bind(), await bind(0, { batch: true })];
      const errors: Error[] = [];
      let bytes = 0;
      bob.onError((error) => errors.push(error));
      bob.onBatch((datagrams) => {
        bytes += datagrams.length;
        throw new Error('a bug in the handler');
      });
      await alice.send(Uint8Array.of(1), at(bob));
      await subject.until(() => bytes === 1);
      await alice.send(Uint8Array.of(2), at(bob));
      await subject.until(() => bytes === 2);
      expect(errors).toHaveLength(2);
    });

    it('is closed by await using', async () => {
      let port: number;
      {
        await using socket = await subject.network.bindUdp({ address: LOOPBACK, port: 0 });
        port = socket.address.port;
      }
      await expect(bind(port)).resolves.toBeDefined();
    });
  });
}
