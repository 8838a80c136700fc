import { Dhcp6MessageType } from '@ingot/wire';
import type { Clock, Datagram, Timer, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootDecider } from '../decide/boot-decider.ts';
import { wordsOf } from '../error-words.ts';
import { firstOfExchange } from '../limits/first-of-exchange.ts';
import type { BootMetrics } from '../metrics.ts';
import { isStoreError, storeFailureWords } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { SightingStore } from '../store/sightings.ts';
import type { Dhcp6Arrival, Dhcp6Outcome, Dhcp6Question } from './outcome.ts';
import { outcome6Log, who6 } from './outcome-log.ts';
import type { Dhcp6Responder } from './responder.ts';

export interface Dhcp6EngineComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly commits: GroupCommit;
  readonly sightings: Pick<SightingStore, 'flush'>;
  readonly respond: Dhcp6Responder;
  readonly decide: BootDecider;
  /** A machine asked for a boot. Must not block: the answer does not wait for it. */
  readonly onBootRequest: (mac: string, uuid: string) => void;
}

export interface Dhcp6Engine {
  /** Answers what one look at a socket brought; the answers leave by `socket`. */
  receive(datagrams: readonly Datagram[], arrival: Dhcp6Arrival, socket: ReplySocket): void;
  stop(): void;
}

type ReplySocket = Pick<UdpSocket, 'send'>;

interface Asker {
  readonly socket: ReplySocket;
  readonly arrival: Dhcp6Arrival;
}

/** An outcome that is ready to be acted upon once its rows are on disk. */
interface Ready extends Asker {
  readonly outcome: Dhcp6Outcome;
}

/** What one packet, or one decision that has come, leads to. */
interface Part {
  /** Whose it is, for the log. */
  readonly who: Readonly<Record<string, string | undefined>>;
  run(): Ready | undefined;
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
 * Takes packets through the responder in rounds: the packets that came together, or the decisions that did, are
 * answered together. Their leases are committed as one before the first answer leaves; what one packet throws costs
 * that packet, and what the store throws all of them that lease.
 */
export function createDhcp6Engine(components: Dhcp6EngineComponents): Dhcp6Engine {
  const { clock, log, metrics, commits, sightings, respond, decide, onBootRequest } = components;
  const isFirst = firstOfExchange(clock);
  const tell = outcome6Log({ log, metrics, isFirst });
  /** By NIC and message, until their decision has come or its time is up. */
  const undecided = new Map<string, Timer>();
  /** What decisions that have come since the last round lead to. */
  let decided: Part[] = [];

  /** A bug met by one packet is no other machine's loss. */
  const failAlone = (error: unknown, { who }: Part): void => {
    metrics.drop('dhcp6', 'internal');
    log.error(
      { ...who, event: 'dhcp6.dropped', reason: 'internal', err: error },
      'a DHCPv6 packet could not be answered: this is a bug, please report it',
    );
  };
  /** A full disk shows here; the next packets may be luckier. A rack that goes on asking must not fill its log, too. */
  const tellOfFailure = (error: unknown): void => {
    metrics.drop('dhcp6', 'internal');
    const words = isStoreError(error) ? storeFailureWords(error) : String(error);
    if (isFirst(words))
      log.error({ event: 'store.failed', err: error }, `DHCPv6 packets could not be answered: ${words}`);
  };
  const round = (parts: readonly Part[]): void => {
    let ready: Ready[] = [];
    try {
      commits.run(() => {
        for (const part of parts) {
          try {
            const each = part.run();
            if (each !== undefined) ready.push(each);
          } catch (error) {
            if (isStoreError(error)) throw error;
            failAlone(error, part);
          }
        }
      });
    } catch (error) {
      tellOfFailure(error);
      for (const { outcome } of ready) {
        if (isBeside(outcome)) continue;
        const { mac, uuid } = who6(outcome);
        const fields = { mac, uuid, event: 'dhcp6.dropped', reason: 'internal' };
        log.debug(fields, 'no DHCPv6 answer: what it changes could not be written');
      }
      ready = ready.filter(({ outcome }) => isBeside(outcome));
    }
    sightings.flush();
    for (const each of ready) act(each);
  };
  const later = (part: Part): void => {
    if (decided.push(part) > 1) return;
    // Many decisions come in one turn of the event loop, as many answers of one API call do.
    setImmediate(() => {
      const parts = decided;
      decided = [];
      round(parts);
    });
  };
  /** The answer, if it is decided at once; else it follows. */
  const ask = (step: Dhcp6Question, asker: Asker): Ready | undefined => {
    const { request, boot, subnet } = step;
    const decision = decide({ ...boot, circuitId: request.circuitId, remoteId: request.remoteId, subnet });
    if (!(decision instanceof Promise)) return { ...asker, outcome: step.answer(decision) };
    const key = `${boot.mac} ${request.message.type}`;
    const givenUp = (detail: string): Ready => ({
      ...asker,
      outcome: { kind: 'drop', reason: 'undecided', detail, request },
    });
    if (undecided.has(key)) return givenUp('its last question is still being decided');
    if (undecided.size >= MAX_UNDECIDED) return givenUp('too many questions are being decided');
    const end = (answer: () => Ready): void => {
      timer.cancel();
      if (undecided.get(key) !== timer) return;
      undecided.delete(key);
      later({ who: { mac: boot.mac, uuid: boot.uuid }, run: answer });
    };
    const timer = clock.setTimeout(() => end(() => givenUp('nothing was decided in time')), DECISION_DEADLINE_MS);
    undecided.set(key, timer);
    decision.then(
      (made) => end(() => ({ ...asker, outcome: step.answer(made) })),
      (error: unknown) => end(() => givenUp(wordsOf(error))),
    );
    return undefined;
  };
  const act = ({ outcome, socket, arrival }: Ready): void => {
    if (outcome.kind === 'drop') return tell.dropped(outcome);
    const { boot, target, request } = outcome;
    const send = (): void => {
      socket.send(outcome.data, target).catch((error: unknown) => {
        metrics.drop('dhcp6', 'send-failed');
        const fields = { ...who6(outcome), event: 'dhcp6.send-failed', err: error, target: target.address };
        log.warn(fields, 'a DHCPv6 answer could not be sent');
      });
    };
    if (arrival.kind === 'boot-service') clock.setTimeout(send, BOOT_SERVICE_DELAY_MS);
    else send();
    tell.answered(outcome);
    const isBooting = request.message.type === Dhcp6MessageType.SOLICIT && boot.kind !== 'ignore';
    if (isBooting && request.mac !== undefined && request.uuid !== undefined) onBootRequest(request.mac, request.uuid);
  };

  return {
    receive: (datagrams, arrival, socket) => {
      const asker = { socket, arrival };
      round(
        datagrams.map(({ data, source }) => ({
          who: { source: source.address },
          run: () => {
            const step = respond(data, source, arrival);
            return step.kind === 'question' ? ask(step, asker) : { ...asker, outcome: step };
          },
        })),
      );
    },
    stop: () => {
      for (const timer of undecided.values()) timer.cancel();
      undecided.clear();
      decided = [];
    },
  };
}

function isBeside(outcome: Dhcp6Outcome): boolean {
  return outcome.kind === 'reply' && outcome.isBeside;
}
