import type { Logger } from '@ingot/daemon';
import { loadTarget } from '../decide/decision.ts';
import type { BootMetrics, Stage } from '../metrics.ts';
import type { Dhcp6Outcome } from './outcome.ts';

/** Says in the log, and counts, what became of packets. */
export interface Outcome6Log {
  answered(outcome: Extract<Dhcp6Outcome, { kind: 'reply' }>): void;
  dropped(outcome: Extract<Dhcp6Outcome, { kind: 'drop' }>): void;
}

export interface Outcome6LogComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  /** One machine that repeats itself must not fill the log: the first of a key is for people to read. */
  readonly isFirst: (key: string) => boolean;
}

/** What an operator has to mend; all else is other people's traffic. */
const LOUD: ReadonlySet<string> = new Set(['unknown-network', 'unknown-relay', 'undecided', 'reply-too-large']);

/** Who it is about, for the log. */
export function who6({
  request,
}: Dhcp6Outcome): Readonly<Record<'mac' | 'uuid' | 'duid' | 'peer', string | undefined>> {
  return { mac: request?.mac, uuid: request?.uuid, duid: request?.duid, peer: request?.peer };
}

export function outcome6Log({ log, metrics, isFirst }: Outcome6LogComponents): Outcome6Log {
  return {
    answered: (outcome) => {
      const { reply, boot, addresses } = outcome;
      const who = who6(outcome);
      const [address] = addresses;
      if (outcome.isShort) {
        metrics.drop('dhcp6', 'no-addresses');
        if (isFirst(`${who.duid} no-addresses`))
          log.warn(
            { ...who, event: 'dhcp6.dropped', reason: 'no-addresses' },
            'no IPv6 address is free: widen the pool or shorten validSeconds',
          );
      }
      const tell = (fields: { readonly event: Stage }, words: string): void => {
        metrics.stage(fields.event);
        const isNew = isFirst(`${who.duid ?? who.peer} ${reply} ${boot.kind} ${address ?? ''}`);
        log[isNew ? 'info' : 'debug']({ ...who, ...fields, address, boot: boot.kind, loads: loadTarget(boot) }, words);
      };
      switch (reply) {
        case 'advertise':
          return tell({ event: 'dhcp6.advertise' }, 'DHCPv6 advertise');
        case 'reply':
          return tell({ event: 'dhcp6.reply' }, 'DHCPv6 reply');
        case 'released':
          return log.info({ ...who, event: 'dhcp6.released', addresses }, 'IPv6 addresses released');
        case 'declined':
          return log.warn(
            { ...who, event: 'dhcp6.declined', addresses },
            'IPv6 addresses declined: somebody else has them',
          );
        default:
          return reply satisfies never;
      }
    },
    dropped: (outcome) => {
      const { reason, detail } = outcome;
      const who = who6(outcome);
      metrics.drop('dhcp6', reason);
      const isLoud = LOUD.has(reason) && isFirst(`${who.peer ?? ''} ${reason}`);
      log[isLoud ? 'warn' : 'debug']({ ...who, event: 'dhcp6.dropped', reason }, `no DHCPv6 answer: ${detail}`);
    },
  };
}
