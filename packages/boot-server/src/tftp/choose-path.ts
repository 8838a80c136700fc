import { decodeTftp, encodeTftp, tftpAck } from '@ingot/wire';
import type { Clock, Libc, Network } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { contentMemory } from '../artifacts/content.ts';
import type { TftpConfig } from '../config/tftp.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { TftpEngine, TftpPath } from './engine.ts';
import { nativeEngine } from './native/engine.ts';
import { routeMtu } from './native/route-mtu.ts';
import { nodeEngine } from './node-engine.ts';
import { interfaceMtu } from './path-mtu.ts';

export interface ChoosePathComponents {
  readonly config: Pick<TftpConfig, 'engine' | 'singlePort'>;
  readonly libc: Libc | undefined;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For the self-test; it takes some 50 ms. */
const SELF_TEST_MS = 5_000;

/**
 * The fastest way of sending that works on this machine; it has sent a file to itself. Rejects with BootServerError
 * LISTEN_FAILED where the configuration insists on the native engine and it does not work.
 */
export async function chooseTftpPath(components: ChoosePathComponents): Promise<TftpPath> {
  const { config, libc, network, clock, log } = components;
  const pathMtu = libc === undefined ? interfaceMtu : routeMtu(libc);
  const pure = nodeEngine({ network, clock, singlePort: config.singlePort });
  const chosen = (engine: TftpEngine, why: string): TftpPath => {
    log.info({ event: 'tftp.engine', engine: engine.name }, `TFTP sends by the ${engine.name} engine: ${why}`);
    return { engine, pathMtu };
  };
  if (config.engine === 'node') return chosen(pure, 'it is configured');
  let failure: unknown = new Error('this Node or this platform has no node:ffi');
  if (libc !== undefined) {
    let native: TftpEngine | undefined;
    try {
      native = nativeEngine({ libc, clock, log, singlePort: config.singlePort, fallback: pure });
      await testEngine(native, libc, network, clock);
      return chosen(native, 'it works here');
    } catch (error) {
      failure = error;
      await native?.stop();
    }
  }
  const words = wordsOf(failure);
  if (config.engine === 'native')
    throw new BootServerError(
      BootServerErrorCode.ListenFailed,
      `TFTP: the native engine does not work here; configure tftp.engine: auto: ${words}`,
      failure,
    );
  return chosen(pure, `the native one does not work here: ${words}`);
}

/** Sends a file in a window of two, from loopback to loopback. */
async function testEngine(engine: TftpEngine, libc: Libc, network: Network, clock: Clock): Promise<void> {
  const writer = contentMemory(libc).create(undefined);
  writer.write(Buffer.alloc(700, 'ingot'));
  const content = writer.finish();
  const timeout = new AbortController();
  try {
    await using listener = await network.bindUdp({ address: '127.0.0.1', port: 0, reuseAddress: engine.sharesPort });
    await using client = await network.bindUdp({ address: '127.0.0.1', port: 0 });
    const parts: Uint8Array[] = [];
    client.onDatagram(({ data, source }) => {
      const decoded = decodeTftp(data);
      if (!decoded.ok || decoded.value.kind !== 'data') return;
      parts[decoded.value.block - 1] = decoded.value.data;
      if (decoded.value.block === 2) void client.send(encodeTftp(tftpAck(2)), source);
    });
    const transfer = await engine.start({
      listener,
      peer: client.address,
      content,
      terms: { blksize: 512, windowsize: 2, timeoutMs: undefined, accepted: [] },
      deadlineMs: SELF_TEST_MS,
      minBytesPerSecond: 0,
    });
    const late = clock.sleep(SELF_TEST_MS, timeout.signal).then(() => undefined);
    late.catch(() => undefined);
    const result = await Promise.race([transfer.ended, late]);
    const isRight = Buffer.compare(Buffer.concat(parts), content.read(0, content.sizeBytes)) === 0;
    if (result?.end.kind !== 'done' || !isRight) throw new Error('its self-test fails');
  } finally {
    timeout.abort();
    content.close();
  }
}
