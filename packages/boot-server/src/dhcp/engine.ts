import { IPV4_BROADCAST, macOfDhcpBytes, MessageType, type Ipv4 } from '@ingot/wire';
import type { Clock, Datagram, Endpoint, Outgoing, UdpSocket } from '@ingot/net';
import type { LogFields, Logger } from '@ingot/daemon';
import { loadTarget } from '../decide/decision.ts';
import type { BootMetrics, Stage } from '../metrics.ts';
import { isStoreError, storeFailureWords } from '../store/database.ts';
import type { GroupCommit } from '../store/group-commit.ts';
import type { DecideBoot } from './boot-question.ts';
import { rememberedProbe, type AddressProbe } from './address-probe.ts';
import { broadcastLimit } from './broadcast-limit.ts';
import type { ClientLink } from './client-link.ts';
import { conflictCheck } from './conflict-check.ts';
import { firstOfExchange } from '../limits/first-of-exchange.ts';
import type { DhcpOutcome } from './outcome.ts';
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
 * survives kill -9.
 */
export function createDhcpEngine(components: DhcpEngineComponents): DhcpEngine {
  const { clock, log, metrics, respond, decide, whenUndecided, commits, probe, onBootRequest } = components;
  const isFirst = firstOfExchange(clock);
  const mayBroadcast = broadcastLimit(clock);
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
    const ready: Ready[] = [];
    try {
      commits.run(() => work(ready));
    } catch (error) {
      metrics.drop('dhcp', 'internal');
      tellOfFailure(error);
      const asked = [
        ...datagrams.map(({ data }) => macOfDhcpBytes(data)),
        ...ready.map(({ outcome }) => (outcome.kind === 'told' ? undefined : outcome.request?.mac)),
      ];
      for (const mac of new Set(asked))
        log.debug({ mac, event: 'dhcp.dropped', reason: 'internal' }, 'no DHCP answer: the store cannot be written');
      return;
    }
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
        note(outcome, source);
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
    for (const { outcome } of ready) if (outcome.kind === 'reply') tell(outcome);
  };
  /** After sending: nobody waits for the log. */
  const tell = (outcome: Extract<DhcpOutcome, { kind: 'reply' }>): void => {
    const { boot, request, address } = outcome;
    const { mac } = request;
    const { uuid } = request.boot;
    const event = `dhcp.${outcome.reply}`;
    const loads = loadTarget(boot);
    const fields = { mac, uuid, giaddr: request.packet.giaddr, event, address, boot: boot.kind, loads };
    if (isFirst(`${mac} ${event} ${boot.kind} ${address ?? ''}`)) log.info(fields, `DHCP ${outcome.reply}`);
    else log.debug(fields, `DHCP ${outcome.reply}`);
    for (const remark of outcome.remarks ?? []) {
      const who = { mac, uuid, giaddr: request.packet.giaddr, event: remark.event, address };
      log[isFirst(`${mac} ${remark.words}`) ? 'warn' : 'debug'](who, remark.words);
    }
    if (boot.kind === 'ignore' && request.type === MessageType.DISCOVER) noteNoLoader(boot.reason, fields);
    if (request.type === MessageType.DISCOVER && boot.kind !== 'ignore' && uuid !== undefined) onBootRequest(mac, uuid);
  };
  /** It wants to boot and gets an address only: nobody would know why. */
  const noteNoLoader = (reason: string, { mac, uuid, giaddr }: LogFields): void => {
    if (!NO_LOADER.has(reason)) return;
    metrics.drop('dhcp', reason);
    if (!isFirst(`${String(mac)} ${reason}`)) return;
    log.warn(
      { mac, uuid, giaddr, event: 'dhcp.no-loader', reason },
      `${String(mac)} gets an address and nothing to boot: there is no boot loader for it, see ipxe.files`,
    );
  };
  const note = (outcome: Exclude<DhcpOutcome, { kind: 'reply' | 'told' }>, source: Endpoint): void => {
    const { request } = outcome;
    const mac = request?.mac ?? (outcome.kind === 'drop' ? outcome.mac : undefined);
    const who = { mac, uuid: request?.boot.uuid, giaddr: request?.packet.giaddr };
    if (outcome.kind === 'done') {
      log.info({ ...who, event: `dhcp.${outcome.what}` }, `address ${outcome.what}`);
      return;
    }
    const { reason, detail } = outcome;
    metrics.drop('dhcp', reason);
    // One machine that repeats itself must not fill the log.
    const isLoud = LOUD.has(reason) && isFirst(`${who.mac ?? source.address} ${reason}`);
    const fields = { ...who, event: 'dhcp.dropped', reason, source: source.address };
    if (isLoud) log.warn(fields, `no DHCP answer: ${detail}`);
    else log.debug(fields, `no DHCP answer: ${detail}`);
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

/** What an operator has to mend; all else is other people's traffic. */
const LOUD: ReadonlySet<string> = new Set([
  'unknown-relay',
  'unknown-network',
  'pool-exhausted',
  'reservation-taken',
  'no-binary',
  'unknown-architecture',
  'reply-too-large',
  'undecided',
  'overloaded',
  'addresses-in-use',
]);

const NO_LOADER: ReadonlySet<string> = new Set(['unknown-architecture', 'no-binary']);
