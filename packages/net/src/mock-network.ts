import type { Clock } from './clock.ts';
import type { Entropy } from './entropy.ts';
import { NetError, NetErrorCode } from './errors.ts';
import { arrivals, type Impairment } from './impairment.ts';
import { isLoopback, parseAttachment, type Attachment } from './ipv4-link.ts';
import { LIMITED_BROADCAST, linkOfGroup, MockHost, type InTransit } from './mock-host.ts';
import { mockEntropy } from './mock-entropy.ts';

/**
 * Sees every datagram as it is sent: returns `'drop'` to lose it, a datagram to send in its place, or nothing to let
 * it pass on to the impairments.
 */
export type Interceptor = (datagram: InTransit) => InTransit | 'drop' | undefined | void;

export interface MockNetworkOptions extends Impairment {
  /** Delivery happens on its timers, also with a delay of 0: `await clock.advance(0)`. */
  readonly clock: Clock;
  /** Decides about loss and the like. Default `mockEntropy(1)`. */
  readonly entropy?: Entropy;
}

/**
 * A whole UDP network in memory. Every host reaches every other one by unicast, as through routers; broadcasts stay
 * on the link. Loopback traffic (127.0.0.0/8) stays on its host and is neither impaired nor intercepted.
 */
export class MockNetwork {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  #impairment: Impairment;
  readonly #hosts: MockHost[] = [];
  readonly #interceptors = new Set<Interceptor>();

  constructor(options: MockNetworkOptions) {
    this.#clock = options.clock;
    this.#entropy = options.entropy ?? mockEntropy(1);
    this.#impairment = options;
  }

  /**
   * Adds a host. Addresses are `10.0.0.1/24`, or `10.0.0.1` to share one flat link with all others of that form, or
   * `fe80::1%rack` for an IPv6 address on the link `rack`.
   * Throws `NetError` for an address that is malformed or taken.
   */
  host(name: string, ...addresses: string[]): MockHost {
    const attachments = addresses.map((text) => this.#attach(text));
    const host = new MockHost(name, attachments, (from, datagram) => this.#send(from, datagram));
    this.#hosts.push(host);
    return host;
  }

  /** Replaces the impairments, for what is sent from now on. */
  impair(impairment: Impairment): void {
    this.#impairment = impairment;
  }

  /** Adds an interceptor behind those already there; call the result to take it out again. */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => void this.#interceptors.delete(interceptor);
  }

  #attach(text: string): Attachment {
    const attachment = parseAttachment(text);
    if (attachment === undefined) {
      throw new NetError(NetErrorCode.InvalidAddress, `"${text}" is no address: write 10.0.0.1/24 or 10.0.0.1`);
    }
    const owner = this.#hosts.find((each) => each.has(attachment.address));
    if (owner !== undefined) {
      throw new NetError(NetErrorCode.AddressInUse, `host ${owner.name} already has ${attachment.address}`);
    }
    return attachment;
  }

  #send(from: MockHost, sent: InTransit): void {
    if (isLoopback(sent.target.address)) {
      this.#clock.setTimeout(() => from.receive(sent), 0);
      return;
    }
    const datagram = this.#intercepted(sent);
    if (datagram === undefined || !from.linkUp) return;
    const link = from.attachments.find(({ address }) => address === datagram.source.address)?.link;
    for (const host of this.#receivers(from, datagram)) {
      for (const delayMs of arrivals(this.#impairment, this.#entropy)) {
        this.#clock.setTimeout(() => {
          if (host.linkUp) host.receive(datagram, link);
        }, delayMs);
      }
    }
  }

  #intercepted(sent: InTransit): InTransit | undefined {
    let datagram = sent;
    for (const interceptor of this.#interceptors) {
      const verdict = interceptor(datagram);
      if (verdict === 'drop') return undefined;
      datagram = verdict ?? datagram;
    }
    return datagram;
  }

  #receivers(from: MockHost, { source, target }: InTransit): readonly MockHost[] {
    const group = linkOfGroup(target.address);
    // As a broadcast, a multicast is looped back to its sender.
    if (group !== undefined) {
      if (!from.attachments.some((each) => each.link === group)) return [];
      return this.#hosts.filter((host) => host.attachments.some((each) => each.link === group));
    }
    if (!from.isBroadcast(target.address)) return this.#hosts.filter((host) => host.has(target.address));
    const link = from.attachments.find((each) =>
      target.address === LIMITED_BROADCAST ? each.address === source.address : each.broadcast === target.address,
    )?.link;
    // Linux loops a broadcast back to its sender as well.
    return this.#hosts.filter((host) => host.attachments.some((each) => each.link === link));
  }
}
