import { MessageType, messageTypeName } from '@ingot/wire';
import type { BootDecision } from '../decide/decision.ts';
import { quirksOf } from '../decide/quirks.ts';
import { bootFields } from './boot-fields.ts';
import { ask, drop, reply, type Exchange } from './exchange.ts';
import type { DhcpOutcome, DhcpQuestion } from './outcome.ts';
import { proxyReply } from './reply.ts';

/** Beside another DHCP server: an offer to those who want to boot, silence to everyone else. */
export function answerBeside(exchange: Exchange): DhcpOutcome | DhcpQuestion {
  const { request, serverId } = exchange;
  if (request.type !== MessageType.DISCOVER)
    return drop(exchange, 'unserved-type', `${messageTypeName(request.type)} is the other server's`);
  return ask(exchange, (decision) => {
    const boot = bootFields(decision, 'proxy', exchange.serverAddress, quirksOf(request.boot));
    if (boot === undefined) return dropIgnored(exchange, decision);
    exchange.sightings.sawBeside(request.mac, request.boot.uuid);
    return reply(exchange, 'offer', proxyReply(request, { serverId, boot }), undefined, decision);
  });
}

function dropIgnored(exchange: Exchange, decision: BootDecision): DhcpOutcome {
  const reason = decision.kind === 'ignore' ? decision.reason : 'not-booting';
  const detail = {
    'not-booting': 'it asks for an address only',
    'unknown-architecture': `architecture ${exchange.request.boot.architectures.join(', ')} has no iPXE`,
    'no-binary': `no iPXE is configured for architecture ${exchange.request.boot.architectures.join(', ')}: see ipxe.files`,
    'not-ours': 'no source boots it',
    'needs-pxe': 'its boot loader cannot go on after UEFI HTTP boot: the firmware’s PXE entry is next',
  }[reason];
  return drop(exchange, reason, detail);
}
