import { MessageType } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { LogFields, Logger } from '@ingot/daemon';
import { loadTarget } from '../decide/decision.ts';
import type { BootMetrics } from '../metrics.ts';
import type { DhcpOutcome } from './outcome.ts';

/** Says in the log, and counts, what became of packets. */
export interface OutcomeLog {
  answered(outcome: Extract<DhcpOutcome, { kind: 'reply' }>): void;
  unanswered(outcome: Exclude<DhcpOutcome, { kind: 'reply' | 'told' }>, source: Endpoint): void;
}

export interface OutcomeLogComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  /** One machine that repeats itself must not fill the log: the first of a key is for people to read. */
  readonly isFirst: (key: string) => boolean;
}

/** What an operator has to mend; all else is other people's traffic. */
const LOUD: ReadonlySet<string> = new Set([
  'unknown-relay',
  'unknown-network',
  'pool-exhausted',
  'reservation-taken',
  'too-many-declines',
  'no-binary',
  'unknown-architecture',
  'reply-too-large',
  'undecided',
  'overloaded',
  'addresses-in-use',
]);

/** Why a machine that wants to boot finds nothing. */
const NO_LOADER: ReadonlySet<string> = new Set(['unknown-architecture', 'no-binary']);

export function outcomeLog({ log, metrics, isFirst }: OutcomeLogComponents): OutcomeLog {
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
  const answered: OutcomeLog['answered'] = (outcome) => {
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
      log[isFirst(remark.words) ? 'warn' : 'debug'](who, remark.words);
    }
    if (boot.kind === 'ignore' && request.type === MessageType.DISCOVER) noteNoLoader(boot.reason, fields);
  };
  const unanswered: OutcomeLog['unanswered'] = (outcome, source) => {
    const { request } = outcome;
    const mac = request?.mac ?? (outcome.kind === 'drop' ? outcome.mac : undefined);
    const who = { mac, uuid: request?.boot.uuid, giaddr: request?.packet.giaddr };
    if (outcome.kind === 'done') {
      log.info({ ...who, event: `dhcp.${outcome.what}` }, `address ${outcome.what}`);
      return;
    }
    const { reason, detail } = outcome;
    metrics.drop('dhcp', reason);
    const isLoud = LOUD.has(reason) && isFirst(`${who.mac ?? source.address} ${reason}`);
    const fields = { ...who, event: 'dhcp.dropped', reason, source: source.address };
    if (isLoud) log.warn(fields, `no DHCP answer: ${detail}`);
    else log.debug(fields, `no DHCP answer: ${detail}`);
  };
  return { answered, unanswered };
}
