import { IPV4_BROADCAST, macOfDhcpBytes, MessageType, type Ipv4, type Mac } from '@ingot/wire';
import type { Clock, Datagram, Endpoint, Outgoing, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { firstOfExchange } from '../limits/first-of-exchange.ts';
import type { BootMetrics, Stage } from '../metrics.ts';
import { isStoreError, storeFailureWords } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { SightingStore } from '../store/sightings.ts';
import type { DecideBoot } from './boot-question.ts';
import { rememberedProbe, type AddressProbe } from './address-probe.ts';
import { broadcastLimit } from './broadcast-limit.ts';
import type { ClientLink } from './client-link.ts';
import { conflictCheck } from './conflict-check.ts';
import type { DhcpOutcome } from './outcome.ts';
import { outcomeLog } from './outcome-log.ts';
import type { DhcpResponder } from './responder.ts';
import { undecidedTable, type WhenUndecided } from './undecided.ts';

export interface DhcpEngineComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly respond: DhcpResponder;
  readonly decide: DecideBoot;
  readonly whenUndecided: WhenUndecided;
  readonly commits: GroupCommit;
  readonly sightings: Pick<SightingStore, 'flush'>;
  /** Asks whether an address is in use before it is offered; undefined: nobody is asked. */
  readonly probe?: AddressProbe | undefined;
  /** A machine asked for a boot. Must not block: the offer does not wait for it. */
  readonly onBootRequest: (mac: string, uuid: string) => void;
}

/** What answers leave by. */
export type ReplySocket = Pick<UdpSocket, 'sendBatch'>;

export interface DhcpEngine {
  /** Answers what one look at a socket brought; the answers leave by `socket`, or to one client of `link`. */
  receive(datagrams: readonly Datagram[], receivedAt: Ipv4, socket: ReplySocket, link?: ClientLink): void;
  /** Questions whose decision is awaited. */
  readonly undecided: number;
  stop(): void;
}

interface Asker {
  readonly source: Endpoint;
  readonly socket: ReplySocket;
  readonly link: ClientLink | undefined;
}

/** An outcome that is ready to be acted upon once its rows are on disk. */
interface Ready extends Asker {
  readonly outcome: DhcpOutcome;
}

/**
 * Takes packets through the responder in rounds: the packets that came together, or the decisions that did, are
 * answered together. Their rows are committed as one before the first answer leaves, so whatever was acknowledged
 * survives kill -9. Answers beside another server leave also when nothing can be written.
 */
export function createDhcpEngine(components: DhcpEngineComponents): DhcpEngine {
  const { clock, log, metrics, respond, decide, whenUndecided, commits, sightings, probe, onBootRequest } = components;
  const isFirst = firstOfExchange(clock);
  const mayBroadcast = broadcastLimit(clock);
  const tell = outcomeLog({ log, metrics, isFirst });
  /** Answers whose decisions, or whose proofs, have come since the last round. */
  let decided: (() => Ready | undefined)[] = [];
  const table = undecidedTable<Asker>({
    clock,
    decide,
    whenUndecided,
    onDecided: (question, asker, decision) =>
      later(() => conflicts.pass({ ...asker, outcome: question.answer(decision) })),
    onGivenUp: (question, asker, reason, why) =>
      later(() => ({
        ...asker,
        outcome: { kind: 'drop', reason, detail: why, request: question.request },
      })),
  });

  const conflicts = conflictCheck<Ready>({
    log,
    metrics,
    check: probe === undefined ? () => 'unknown' : rememberedProbe(clock, probe),
    onSettled: (settle) => later(settle),
  });

  const later = (answer: () => Ready | undefined): void => {
    if (decided.push(answer) > 1) return;
    // Many decisions come in one turn of the event loop, as many answers of one API call do.
    setImmediate(() => {
      const answers = decided;
      decided = [];
      round((ready) => {
        for (const each of answers) {
          try {
            const settled = each();
            if (settled !== undefined) ready.push(settled);
          } catch (error) {
            failAlone(error);
          }
        }
      });
    });
  };
  /** A bug met by one packet is no other machine's loss. What the store throws is: the rows of all have gone with it. */
  const failAlone = (error: unknown, packet?: Datagram): void => {
    if (isStoreError(error)) throw error;
    metrics.drop('dhcp', 'internal');
    const mac = packet && macOfDhcpBytes(packet.data);
    log.error(
      { event: 'dhcp.dropped', reason: 'internal', mac, err: error, source: packet?.source.address },
      'a DHCP packet could not be answered: this is a bug, please report it',
    );
  };
  /** A full disk shows here; the next packets may be luckier. A rack that goes on asking must not fill its log, too. */
  const tellOfFailure = (error: unknown): void => {
    const words = isStoreError(error) ? storeFailureWords(error) : String(error);
    if (!isFirst(words)) return;
    log.error({ event: 'store.failed', err: error }, `DHCP packets could not be answered: ${words}`);
  };
  const round = (work: (ready: Ready[]) => void, datagrams: readonly Datagram[] = []): void => {
    let ready: Ready[] = [];
    try {
      commits.run(() => work(ready));
    } catch (error) {
      metrics.drop('dhcp', 'internal');
      tellOfFailure(error);
      const asked = new Set([
        ...datagrams.map(({ data }) => macOfDhcpBytes(data)),
        ...ready.map(({ outcome }) => macOf(outcome)),
      ]);
      ready = ready.filter(({ outcome }) => outcome.kind === 'reply' && outcome.isBeside);
      for (const { outcome } of ready) asked.delete(macOf(outcome));
      for (const mac of asked)
        log.debug({ mac, event: 'dhcp.dropped', reason: 'internal' }, 'no DHCP answer: the store cannot be written');
    }
    sightings.flush();
    dispatch(ready);
  };
  const dispatch = (ready: readonly Ready[]): void => {
    const outgoing = new Map<ReplySocket, Outgoing[]>();
    const stages = new Map<Stage, number>();
    const send = (socket: ReplySocket, answer: Outgoing): void => {
      const list = outgoing.get(socket);
      if (list === undefined) outgoing.set(socket, [answer]);
      else list.push(answer);
    };
    for (const { outcome, source, socket, link } of ready) {
      if (outcome.kind === 'told') {
        send(socket, outcome);
        continue;
      }
      if (outcome.kind !== 'reply') {
        tell.unanswered(outcome, source);
        continue;
      }
      const { mac } = outcome.request;
      const stage: Stage = `dhcp.${outcome.reply}`;
      if (outcome.unicast !== undefined && link?.send(mac, outcome.unicast, outcome.data) === true) {
        stages.set(stage, (stages.get(stage) ?? 0) + 1);
        continue;
      }
      if (outcome.target.address === IPV4_BROADCAST && !mayBroadcast(mac)) {
        metrics.drop('dhcp', 'broadcast-limit');
        const { uuid } = outcome.request.boot;
        const fields = { mac, uuid, event: 'dhcp.dropped', reason: 'broadcast-limit' };
        log.debug(fields, 'no DHCP answer: too many broadcasts');
        continue;
      }
      send(socket, outcome);
      stages.set(stage, (stages.get(stage) ?? 0) + 1);
    }
    for (const [socket, list] of outgoing) {
      socket.sendBatch(list, ({ data, target }, error) => {
        metrics.drop('dhcp', 'send-failed');
        log.warn(
          { event: 'dhcp.send-failed', mac: macOfDhcpBytes(data), err: error, target: target.address },
          'a DHCP answer could not be sent',
        );
      });
    }
    for (const [stage, count] of stages) metrics.stage(stage, count);
    // After sending: nobody waits for the log.
    for (const { outcome } of ready) {
      if (outcome.kind !== 'reply') continue;
      tell.answered(outcome);
      const { boot, request } = outcome;
      const isBooting = request.type === MessageType.DISCOVER && boot.kind !== 'ignore';
      if (isBooting && request.boot.uuid !== undefined) onBootRequest(request.mac, request.boot.uuid);
    }
  };

  return {
    get undecided() {
      return table.size;
    },
    receive: (datagrams, receivedAt, socket, link) => {
      round((ready) => {
        for (const datagram of datagrams) {
          const { data, source } = datagram;
          try {
            const step = respond(data, source, receivedAt);
            if (step.kind !== 'question') {
              ready.push({ outcome: step, source, socket, link });
              continue;
            }
            const decision = table.ask(step, { source, socket, link });
            if (decision === undefined) continue;
            const answer = conflicts.pass({ outcome: step.answer(decision), source, socket, link });
            if (answer !== undefined) ready.push(answer);
          } catch (error) {
            failAlone(error, datagram);
          }
        }
      }, datagrams);
    },
    stop: () => {
      table.stop();
      conflicts.stop();
      decided = [];
    },
  };
}

function macOf(outcome: DhcpOutcome): Mac | undefined {
  if (outcome.kind === 'told') return undefined;
  return outcome.request?.mac;
}
