import { DHCP6_SERVER_PORT, DHCP6_SERVERS_GROUP, Dhcp6MessageType, PXE_SERVER_PORT } from '@ingot/wire';
import type { Clock, Datagram, Network, Timer, UdpSocket } from '@ingot/net';
import type { LogFields, Logger } from '@ingot/daemon';
import type { BootDecider } from '../decide/boot-decider.ts';
import { loadTarget } from '../decide/decision.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { firstOfExchange } from '../limits/first-of-exchange.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import { isStoreError, storeFailureWords } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { Dhcp6Arrival, Dhcp6Outcome, Dhcp6Question } from './outcome.ts';
import type { Dhcp6Plan } from './plan.ts';
import type { Dhcp6Responder } from './responder.ts';

export interface Dhcp6ServerComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly commits: GroupCommit;
  readonly respond: Dhcp6Responder;
  readonly decide: BootDecider;
  /** A machine asked for a boot. Must not block: the answer does not wait for it. */
  readonly onBootRequest: (mac: string, uuid: string) => void;
}

/** SOL_TIMEOUT is 1 s, and EDK2 gives up a server after four tries: later than this an answer meets the next question. */
const DECISION_DEADLINE_MS = 1_500;
/**
 * EDK2 begins to read some time after it has asked port 4011, and by then has dropped what is older than 50 ms
 * (PXEBC_DEFAULT_LIFETIME); it waits 3 s. Seen with OVMF: it misses every answer that comes within 1 ms.
 */
const BOOT_SERVICE_DELAY_MS = 200;
/** Questions whose decision is awaited; beyond it nobody's is. */
const MAX_UNDECIDED = 1_024;

/**
 * Listens on port 547: at each own address, where relays send to, and at ff02::1:2 on each own interface. A socket
 * that is bound to the group hears no unicast, and one that is bound to an address no multicast: so every datagram
 * tells how it came. Beside another server port 4011 is asked as well. Rejects with BootServerError LISTEN_FAILED.
 */
export async function startDhcp6Server(components: Dhcp6ServerComponents, plan: Dhcp6Plan): Promise<UdpServer> {
  const { network, log } = components;
  const listeners: Listener[] = [];
  const sockets: UdpSocket[] = [];
  const undecided = new Map<string, Timer>();
  const isFirst = firstOfExchange(components.clock);
  const bind = async (arrival: Dhcp6Arrival, address: string): Promise<void> => {
    const groups =
      arrival.kind === 'multicast' ? [{ address: DHCP6_SERVERS_GROUP, interfaceName: arrival.interfaceName }] : [];
    const port = arrival.kind === 'boot-service' ? PXE_SERVER_PORT : DHCP6_SERVER_PORT;
    const socket = await network.bindUdp({ address, port, groups });
    sockets.push(socket);
    socket.onError((error) => log.warn({ err: error, address }, 'DHCPv6 socket'));
    const isBootService = arrival.kind === 'boot-service';
    const listener: Listener = { ...components, undecided, isFirst, socket, isBootService, decided: [] };
    listeners.push(listener);
    socket.onBatch((datagrams) => receive(listener, datagrams, arrival));
  };
  const close = async (): Promise<void> => {
    for (const timer of undecided.values()) timer.cancel();
    undecided.clear();
    for (const listener of listeners) listener.decided = [];
    await Promise.all(sockets.map((socket) => socket.close()));
  };
  try {
    for (const address of plan.listen) await bind({ kind: 'unicast' }, address);
    if (plan.isBeside) for (const address of plan.listen) await bind({ kind: 'boot-service' }, address);
    for (const interfaceName of plan.interfaces) {
      await bind({ kind: 'multicast', interfaceName }, `${DHCP6_SERVERS_GROUP}%${interfaceName}`);
    }
  } catch (cause) {
    await close();
    throw new BootServerError(BootServerErrorCode.ListenFailed, `DHCPv6: ${wordsOf(cause)}`, cause);
  }
  return { stop: close };
}

interface Listener extends Dhcp6ServerComponents {
  /** By NIC and message, until their decision has come or its time is up. */
  readonly undecided: Map<string, Timer>;
  readonly isFirst: (key: string) => boolean;
  readonly socket: UdpSocket;
  /** Whether it is port 4011. */
  readonly isBootService: boolean;
  /** What decisions that have come since the last round lead to. */
  decided: (() => Dhcp6Outcome)[];
}

/**
 * Answers together what came together. Their leases are committed as one before the first answer leaves; what one packet
 * throws costs that packet, and what the store throws all of them.
 */
function round(listener: Listener, parts: readonly (() => Dhcp6Outcome | undefined)[]): void {
  const outcomes: Dhcp6Outcome[] = [];
  try {
    listener.commits.run(() => {
      for (const part of parts) {
        try {
          const outcome = part();
          if (outcome !== undefined) outcomes.push(outcome);
        } catch (error) {
          if (isStoreError(error)) throw error;
          fail(listener, error);
        }
      }
    });
  } catch (error) {
    // A full disk shows here; the next packets may be luckier.
    fail(listener, error);
    for (const { request } of outcomes) {
      const fields = { mac: request?.mac, uuid: request?.uuid, event: 'dhcp6.dropped', reason: 'internal' };
      listener.log.debug(fields, 'no DHCPv6 answer: what it changes could not be written');
    }
    return;
  }
  for (const outcome of outcomes) act(listener, outcome);
}

/** Many decisions come in one turn of the event loop, as many answers of one API call do. */
function later(listener: Listener, outcome: () => Dhcp6Outcome): void {
  if (listener.decided.push(outcome) > 1) return;
  setImmediate(() => {
    const parts = listener.decided;
    listener.decided = [];
    round(listener, parts);
  });
}

function receive(listener: Listener, datagrams: readonly Datagram[], arrival: Dhcp6Arrival): void {
  const { respond } = listener;
  round(
    listener,
    datagrams.map(({ data, source }) => () => {
      const step = respond(data, source, arrival);
      return step.kind === 'question' ? ask(listener, step) : step;
    }),
  );
}

/** The answer, if it is decided at once; else it follows. */
function ask(listener: Listener, step: Dhcp6Question): Dhcp6Outcome | undefined {
  const { clock, decide, undecided } = listener;
  const { request, boot, subnet } = step;
  const decision = decide({ ...boot, circuitId: request.circuitId, remoteId: request.remoteId, subnet });
  if (!(decision instanceof Promise)) return step.answer(decision);
  const key = `${boot.mac} ${request.message.type}`;
  const givenUp = (detail: string): Dhcp6Outcome => ({ kind: 'drop', reason: 'undecided', detail, request });
  if (undecided.has(key)) return givenUp('its last question is still being decided');
  if (undecided.size >= MAX_UNDECIDED) return givenUp('too many questions are being decided');
  const end = (outcome: () => Dhcp6Outcome): void => {
    timer.cancel();
    if (undecided.get(key) !== timer) return;
    undecided.delete(key);
    later(listener, outcome);
  };
  const timer = clock.setTimeout(() => end(() => givenUp('nothing was decided in time')), DECISION_DEADLINE_MS);
  undecided.set(key, timer);
  decision.then(
    (decided) => end(() => step.answer(decided)),
    (error: unknown) => end(() => givenUp(wordsOf(error))),
  );
  return undefined;
}

function act(listener: Listener, outcome: Dhcp6Outcome): void {
  const { log, metrics, socket, isFirst, onBootRequest } = listener;
  const { request } = outcome;
  const who = { mac: request?.mac, uuid: request?.uuid, duid: request?.duid, peer: request?.peer };
  if (outcome.kind === 'drop') {
    const { reason, detail } = outcome;
    metrics.drop('dhcp6', reason);
    // One machine that repeats itself must not fill the log.
    const isLoud = LOUD.has(reason) && isFirst(`${request?.peer ?? ''} ${reason}`);
    if (isLoud) log.warn({ ...who, event: 'dhcp6.dropped', reason }, `no DHCPv6 answer: ${detail}`);
    else log.debug({ ...who, event: 'dhcp6.dropped', reason }, `no DHCPv6 answer: ${detail}`);
    return;
  }
  const { boot, target, addresses } = outcome;
  const send = (): void => {
    socket.send(outcome.data, target).catch((error: unknown) => {
      metrics.drop('dhcp6', 'send-failed');
      const fields = { ...who, event: 'dhcp6.send-failed', err: error, target: target.address };
      log.warn(fields, 'a DHCPv6 answer could not be sent');
    });
  };
  if (listener.isBootService) listener.clock.setTimeout(send, BOOT_SERVICE_DELAY_MS);
  else send();
  const address = addresses[0];
  if (outcome.isShort) {
    metrics.drop('dhcp6', 'no-addresses');
    if (isFirst(`${who.duid} no-addresses`))
      log.warn(
        { ...who, event: 'dhcp6.dropped', reason: 'no-addresses' },
        'no IPv6 address is free: widen the pool or shorten validSeconds',
      );
  }
  const tell = (fields: LogFields, words: string): void => {
    const isNew = isFirst(`${who.duid ?? who.peer} ${outcome.reply} ${boot.kind} ${address ?? ''}`);
    log[isNew ? 'info' : 'debug']({ ...who, ...fields, address, boot: boot.kind, loads: loadTarget(boot) }, words);
  };
  switch (outcome.reply) {
    case 'advertise':
      metrics.stage('dhcp6.advertise');
      tell({ event: 'dhcp6.advertise' }, 'DHCPv6 advertise');
      break;
    case 'reply':
      metrics.stage('dhcp6.reply');
      tell({ event: 'dhcp6.reply' }, 'DHCPv6 reply');
      break;
    case 'released':
      log.info({ ...who, event: 'dhcp6.released', addresses }, 'IPv6 addresses released');
      break;
    case 'declined':
      log.warn({ ...who, event: 'dhcp6.declined', addresses }, 'IPv6 addresses declined: somebody else has them');
      break;
    default:
      outcome.reply satisfies never;
  }
  const begins = request?.message.type === Dhcp6MessageType.SOLICIT;
  if (begins && boot.kind !== 'ignore' && who.mac !== undefined && who.uuid !== undefined) {
    onBootRequest(who.mac, who.uuid);
  }
}

function fail({ log, metrics, isFirst }: Listener, error: unknown): void {
  metrics.drop('dhcp6', 'internal');
  const words = isStoreError(error) ? storeFailureWords(error) : String(error);
  // A rack that goes on asking must not fill its log, too.
  if (isFirst(words))
    log.error({ event: 'store.failed', err: error }, `DHCPv6 packets could not be answered: ${words}`);
}

/** What an operator has to mend; all else is other people's traffic. */
const LOUD: ReadonlySet<string> = new Set(['unknown-network', 'unknown-relay', 'undecided', 'reply-too-large']);
