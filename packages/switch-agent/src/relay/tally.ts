import type { Metrics } from '@ingot/daemon';
import { MessageType, messageTypeName } from '@ingot/wire';
import type { ReplyRefusal } from './reply.ts';
import type { RequestRefusal } from './request.ts';

export type Refusal = RequestRefusal | ReplyRefusal;

/** What the relay counts. Packets are added up and told to the metrics by `flush`, for that costs more than relaying. */
export interface Tally {
  request(link: string, type: number | undefined): void;
  reply(link: string, type: number | undefined): void;
  /** `link`: '' where it is not known. */
  refused(link: string, reason: Refusal): void;
  withoutAgent(link: string): void;
  overrun(link: string, count: number): void;
  links(served: number, failed: number): void;
  flush(): void;
}

export function createTally(metrics: Metrics): Tally {
  const relayed = metrics.counter({
    name: 'ingot_switch_relay_packets_total',
    help: 'DHCP packets passed on, by link, direction (request or reply) and message type.',
    labels: ['link', 'direction', 'type'],
  });
  const refusals = metrics.counter({
    name: 'ingot_switch_relay_refused_total',
    help: 'DHCP packets dropped, by link and reason.',
    labels: ['link', 'reason'],
  });
  const bare = metrics.counter({
    name: 'ingot_switch_relay_without_option82_total',
    help: 'Requests passed on without option 82, because it would have made them too long.',
    labels: ['link'],
  });
  const overruns = metrics.counter({
    name: 'ingot_switch_relay_overruns_total',
    help: 'Requests lost in the kernel, because they came faster than they were read.',
    labels: ['link'],
  });
  const links = metrics.gauge({
    name: 'ingot_switch_relay_links',
    help: 'Links by state: served, or failed.',
    labels: ['state'],
  });
  // Few keys: links by reasons and types.
  const pending = new Map<string, { count: number; readonly tell: (count: number) => void }>();
  const add = (key: string, tell: (count: number) => void, count = 1): void => {
    const known = pending.get(key);
    if (known === undefined) pending.set(key, { count, tell });
    else known.count += count;
  };
  const passed = (link: string, direction: 'request' | 'reply', type: number | undefined): void => {
    add(`${direction} ${type ?? 0} ${link}`, (count) => relayed.inc({ link, direction, type: typeName(type) }, count));
  };
  return {
    request: (link, type) => passed(link, 'request', type),
    reply: (link, type) => passed(link, 'reply', type),
    refused: (link, reason) => add(`refused ${reason} ${link}`, (count) => refusals.inc({ link, reason }, count)),
    withoutAgent: (link) => add(`bare ${link}`, (count) => bare.inc({ link }, count)),
    overrun: (link, count) => {
      if (count > 0) add(`overrun ${link}`, (sum) => overruns.inc({ link }, sum), count);
    },
    links: (served, failed) => {
      links.set({ state: 'served' }, served);
      links.set({ state: 'failed' }, failed);
    },
    flush: () => {
      for (const { count, tell } of pending.values()) tell(count);
      pending.clear();
    },
  };
}

/** A client may write any of 256 numbers there. */
function typeName(type: number | undefined): string {
  if (type === undefined) return 'BOOTP';
  return type <= MessageType.LEASEQUERYDONE ? messageTypeName(type) : 'other';
}
