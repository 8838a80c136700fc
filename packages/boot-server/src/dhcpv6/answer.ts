import { Dhcp6MessageType, dhcp6MessageTypeName, Dhcp6Status, type Dhcp6Option } from '@ingot/wire';
import type { BootDecision } from '../decide/decision.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import { areOnLink, assignAll, extendAll, giveUpAll } from './associations.ts';
import { bootOptions6 } from './boot-options.ts';
import { drop, NOTHING_TO_BOOT, send, type Exchange } from './exchange.ts';
import type { Dhcp6Outcome, Dhcp6Question } from './outcome.ts';
import { networkOptions6, preferenceOption, RAPID_COMMIT_OPTION, type AnsweredAssociation } from './reply.ts';

/** Machines between their SOLICIT and what they ask port 4011: seconds. */
const MAX_ADVERTISED = 4_096;

/** A message that came as RFC 8415 has it: by multicast, or through a relay. */
export function answer(exchange: Exchange): Dhcp6Outcome | Dhcp6Question {
  const { request, subnet } = exchange;
  const { type } = request.message;
  const isServed =
    type === Dhcp6MessageType.INFORMATION_REQUEST ||
    subnet.mode === 'server' ||
    (subnet.mode === 'boot-only' && type === Dhcp6MessageType.SOLICIT);
  if (!isServed)
    return drop(exchange, 'unserved-type', `${dhcp6MessageTypeName(type)} in a network of mode ${subnet.mode}`);
  switch (type) {
    case Dhcp6MessageType.SOLICIT:
    case Dhcp6MessageType.REQUEST:
    case Dhcp6MessageType.INFORMATION_REQUEST:
      return whenDecided(exchange);
    case Dhcp6MessageType.CONFIRM:
      return confirm(exchange);
    case Dhcp6MessageType.RENEW:
    case Dhcp6MessageType.REBIND: {
      const associations = extendAll(exchange, type === Dhcp6MessageType.REBIND);
      if (associations.length === 0) return drop(exchange, 'unknown-lease', 'it may be another server’s');
      const options = networkOptions6(request, subnet, false);
      return send(exchange, { type: Dhcp6MessageType.REPLY, associations, options });
    }
    default: {
      const how = type === Dhcp6MessageType.RELEASE ? 'release' : 'decline';
      const { associations, addresses } = giveUpAll(exchange, how);
      const status = { code: Dhcp6Status.SUCCESS, message: `${how}d` } as const;
      const draft = { type: Dhcp6MessageType.REPLY, status, associations };
      return send(exchange, draft, { reply: `${how}d`, addresses });
    }
  }
}

/** RFC 8415 §18.3.3. */
function confirm(exchange: Exchange): Dhcp6Outcome {
  const onLink = areOnLink(exchange.request, exchange.subnet);
  if (onLink === undefined) return drop(exchange, 'unknown-lease', 'CONFIRM of no address');
  const status = onLink
    ? ({ code: Dhcp6Status.SUCCESS, message: 'on link' } as const)
    : ({ code: Dhcp6Status.NOT_ON_LINK, message: `not in ${exchange.subnet.id}` } as const);
  return send(exchange, { type: Dhcp6MessageType.REPLY, status });
}

/** SOLICIT, REQUEST and INFORMATION-REQUEST tell what to boot, to who may want to know. */
export function whenDecided(exchange: Exchange): Dhcp6Outcome | Dhcp6Question {
  const { request, subnet } = exchange;
  const { boot } = request;
  const isInformation = request.message.type === Dhcp6MessageType.INFORMATION_REQUEST;
  // RFC 8415 §16.12.
  if (isInformation && request.associations.length > 0) {
    return drop(exchange, 'malformed', 'INFORMATION-REQUEST with an identity association');
  }
  const isBooting =
    boot !== undefined && (boot.vendorClass ?? boot.architectures[0] ?? boot.userClasses[0]) !== undefined;
  const finish = (decision: BootDecision): Dhcp6Outcome => {
    const isBeside = subnet.mode === 'boot-only';
    if (isBeside && decision.kind === 'ignore')
      return drop(exchange, 'not-booting', `nothing to boot: ${decision.reason}`);
    if (boot !== undefined && decision.kind !== 'ignore') {
      if (subnet.mode === 'server') exchange.sightings.saw(boot.mac, boot.uuid);
      else exchange.sightings.sawBeside(boot.mac, boot.uuid);
    }
    const { mac, duid } = request;
    if (isBeside && mac !== undefined && duid !== undefined) keepNewest(exchange.advertised, duid, mac, MAX_ADVERTISED);
    const options = [
      ...(isBeside ? [] : networkOptions6(request, subnet, isInformation)),
      ...bootOptions6(decision, request, { tftpUrl: exchange.plan.tftpUrl, isBeside }),
    ];
    const isLast = isInformation || request.message.type === Dhcp6MessageType.REQUEST;
    if (isLast && (isInformation || isBeside))
      return send(exchange, { type: Dhcp6MessageType.REPLY, options }, { boot: decision });
    return isBeside ? advertise(exchange, decision, options) : give(exchange, decision, options);
  };
  return isBooting ? { kind: 'question', request, boot, subnet: subnet.id, answer: finish } : finish(NOTHING_TO_BOOT);
}

function advertise(
  exchange: Exchange,
  boot: BootDecision,
  options: readonly Dhcp6Option[],
  associations: readonly AnsweredAssociation[] = [],
): Dhcp6Outcome {
  const { preference } = exchange.plan;
  const preferred = preference === undefined ? [] : [preferenceOption(preference)];
  const draft = { type: Dhcp6MessageType.ADVERTISE, associations, options: [...preferred, ...options] };
  return send(exchange, draft, { reply: 'advertise', boot });
}

/** Addresses: proposed to a SOLICIT, leased to a REQUEST and to a SOLICIT with rapid commit. */
function give(exchange: Exchange, boot: BootDecision, options: readonly Dhcp6Option[]): Dhcp6Outcome {
  const { request, subnet } = exchange;
  const isRequest = request.message.type === Dhcp6MessageType.REQUEST;
  const isRapid = !isRequest && request.rapidCommit && subnet.rapidCommit;
  const associations = assignAll(exchange, { commits: isRequest || isRapid, checksLink: isRequest });
  const isGiven = associations.some(({ address }) => address !== undefined);
  if (!isRequest && !(isRapid && isGiven)) return advertise(exchange, boot, options, associations);
  const draft = {
    type: Dhcp6MessageType.REPLY,
    associations,
    options: isRapid ? [RAPID_COMMIT_OPTION, ...options] : options,
  };
  return send(exchange, draft, { boot });
}
