import { isIP } from 'node:net';
import { decodeSntpAnswer, encodeSntpRequest, NTP_PORT } from '@ingot/wire';
import type { Entropy, Network, UdpSocket } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { followTime } from './machine-clock.ts';
import type { ClockParts, GivenTime } from './machine-clock.ts';

export interface NetworkTimeParts extends ClockParts {
  readonly network: Network;
  readonly entropy: Entropy;
  /** Addresses of a name. */
  readonly resolveHost: (name: string) => Promise<readonly string[]>;
}

/** More servers than that are not asked. */
const maxServers = 8;
/** Each is asked so often, with so long between. */
const tries = 3;
const tryMs = 1_000;
/** The clock is set by whole seconds. */
const toleranceMs = 1_000;

/**
 * Sets the clock by the first of the servers that answers, all asked at once: by SNTP (RFC 5905 §14). Takes 3 s at
 * most; without any answer the clock stays as it is, which is said.
 *
 * @returns whether the clock agrees with that of a server now
 */
export async function followTimeServers(servers: readonly string[], parts: NetworkTimeParts): Promise<boolean> {
  const asked = servers.slice(0, maxServers);
  if (asked.length === 0) return false;
  const { reporter, signal } = parts;
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const refusals: string[] = [];
  try {
    const first = await Promise.any(
      asked.map(async (server) => {
        try {
          return await askServer(server, parts, until);
        } catch (error) {
          refusals.push(`${server}: ${reasonOf(error)}`);
          throw error;
        }
      }),
    );
    return await followTime(first, parts);
  } catch {
    signal.throwIfAborted();
    reporter.say('config', `no time server answers (${refusals.join('; ')}): the clock stays as it is`);
    return false;
  } finally {
    done.abort();
  }
}

async function askServer(server: string, parts: NetworkTimeParts, signal: AbortSignal): Promise<GivenTime> {
  const { network, clock, entropy, resolveHost } = parts;
  const address = isIP(server) === 0 ? (await resolveHost(server))[0] : server;
  if (address === undefined) throw new Error('the name has no address');
  await using socket = await network.bindUdp({ address: isIP(address) === 6 ? '::' : '0.0.0.0', port: 0 });
  let refused = 'no answer';
  for (let count = 0; count < tries; count += 1) {
    signal.throwIfAborted();
    const cookie = entropy.bytes(8);
    const waiting = new AbortController();
    const answered = answerTo(socket, cookie, address, (reason) => (refused = reason));
    const askedAtMs = clock.monotonic();
    await socket.send(encodeSntpRequest(cookie), { address, port: NTP_PORT });
    const late = clock.sleep(tryMs, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
    const answer = await Promise.race([answered, late]);
    waiting.abort();
    if (answer === undefined) continue;
    // Half of what the way there and back took, without the server's own time (RFC 5905 §8).
    const wayMs = Math.max(0, clock.monotonic() - askedAtMs - (answer.sentAtMs - answer.receivedAtMs));
    return { by: `the time server ${server}`, timeMs: answer.sentAtMs + wayMs / 2, toleranceMs };
  }
  throw new Error(refused);
}

function answerTo(
  socket: UdpSocket,
  cookie: Uint8Array,
  address: string,
  onRefused: (reason: string) => void,
): Promise<{ readonly receivedAtMs: number; readonly sentAtMs: number }> {
  return new Promise((resolve) => {
    socket.onDatagram(({ data, source }) => {
      if (source.port !== NTP_PORT || source.address !== address) return;
      const decoded = decodeSntpAnswer(data, cookie);
      if (decoded.ok) resolve(decoded.value);
      else onRefused(decoded.reason);
    });
  });
}
