import {
  decodeDhcp,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  IPV4_ANY,
  ipv4OfNumber,
  ipv4ToNumber,
  MessageType,
  messageTypeName,
  OptionCode,
  readIpv4,
  readOptions,
  type DhcpOption,
  type DhcpPacket,
  type Ipv4,
} from '@ingot/wire';
import type { Clock } from '@ingot/net';
import { architectureOf } from '../decide/architectures.ts';
import type { BootPlan } from '../decide/boot-plan.ts';
import { identifyClient } from '../decide/client.ts';
import { parseBootFilePath, type BootDecision } from '../decide/decision.ts';
import type { DhcpOutcome } from '../dhcp/outcome.ts';
import { serverAddressFor } from '../dhcp/plan.ts';
import { DECISION_DEADLINE_MS } from '../dhcp/undecided.ts';
import { findSubnet } from '../dhcp/subnets.ts';
import { BootServerError } from '../errors.ts';
import { renderAskScript, renderIpxeScript } from '../ipxe/script.ts';
import type { Policy } from '../policy.ts';
import { answerPxe } from '../pxe/answer.ts';
import type { SightingStore } from '../store/sightings.ts';
import type { CollectingLogger } from './collecting-logger.ts';
import { describeReply } from './dhcp-text.ts';
import { fileWords } from './file-words.ts';
import { asIpxe, askerOf, messageOf, selecting, type Asker } from './questions.ts';
import type { SimulateAnswer, SimulatedStep, SimulateRequest } from './wire.ts';
import { clientWords, decisionWords, networkWords } from './words.ts';

export interface Simulator {
  /** Over stores that nobody else has, and logging to `log`. */
  readonly policy: Policy;
  readonly sightings: SightingStore;
  readonly log: CollectingLogger;
  readonly clock: Clock;
}

/** Lets a machine ask as it would. Rejects with BootServerError ADMIN_REFUSED for what no machine can ask. */
export async function simulate(simulator: Simulator, request: SimulateRequest): Promise<SimulateAnswer> {
  const run: Run = { ...simulator, steps: [] };
  const asker = askerOf(request);
  switch (request.phase) {
    case 'dhcp':
      await lease(run, asker, 'the machine');
      break;
    case 'pxe':
      await askPxe(run, asker);
      break;
    case 'script':
      await onlyScript(run, asker, request.serial);
      break;
    case 'all':
      await wholeBoot(run, asker, request.serial);
      break;
    default:
      request.phase satisfies never;
  }
  return { steps: run.steps };
}

interface Run extends Simulator {
  readonly steps: SimulatedStep[];
}

/** The script is only for whom DHCP has seen; whoever gets nothing there is told why. */
async function onlyScript(run: Run, asker: Asker, serial: string | undefined): Promise<void> {
  const decision = await lease(run, asker, 'the machine');
  if (decision === undefined) return;
  if (decision.kind !== 'ignore') run.steps.length = 0;
  await askScript(run, asker, serial);
}

async function wholeBoot(run: Run, asker: Asker, serial: string | undefined): Promise<void> {
  let decision = await lease(run, asker, 'the machine');
  if (decision?.kind === 'chain-tftp' || decision?.kind === 'chain-http') {
    await askFile(run, asker, decision);
    decision = await lease(run, asIpxe(asker), 'the iPXE that it has loaded');
  }
  if (decision?.kind === 'script') await askScript(run, asker, serial);
}

/** DISCOVER, and REQUEST where an address is offered, or port 4011 where the firmware goes there. */
async function lease(run: Run, asker: Asker, who: string): Promise<BootDecision | undefined> {
  const offer = await askDhcp(run, asker, who, MessageType.DISCOVER);
  if (offer === undefined) return undefined;
  const { packet, boot } = offer;
  if (packet.yiaddr === IPV4_ANY) {
    // Without option 43 UEFI asks there.
    const asksPxe = boot.kind === 'chain-tftp' && boot.firmware !== 'bios' && boot.firmware !== 'raspberryPi';
    return asksPxe ? askPxe(run, asker) : boot;
  }
  const ack = await askDhcp(run, asker, who, MessageType.REQUEST, selecting(packet.yiaddr, serverOf(packet)));
  return ack?.boot;
}

async function askDhcp(
  run: Run,
  asker: Asker,
  who: string,
  type: MessageType,
  options: readonly DhcpOption[] = [],
): Promise<{ packet: DhcpPacket; boot: BootDecision } | undefined> {
  const { plan, respond, decisions } = run.policy;
  const isRelayed = asker.giaddr !== IPV4_ANY;
  const receivedAt = asker.link ?? plan.listen.localAddress ?? plan.listen.addresses[0] ?? plan.serverAddress;
  const asks = `${messageTypeName(type)} of ${who}, ${isRelayed ? `through relay ${asker.giaddr}` : `on the link of ${receivedAt}`}`;
  const source = isRelayed
    ? { address: asker.giaddr, port: DHCP_SERVER_PORT }
    : { address: IPV4_ANY, port: DHCP_CLIENT_PORT };
  const step = respond(messageOf(type, asker, { options }), source, receivedAt);
  const why: string[] = [];
  let outcome: DhcpOutcome;
  if (step.kind === 'question') {
    const { question } = step;
    why.push(networkWords(plan.subnets, question.subnet, asker.mac), clientWords(identifyClient(question)));
    const askedAt = run.clock.monotonic();
    const decision = await decided(() => decisions.decide(question));
    const tookMs = run.clock.monotonic() - askedAt;
    if (tookMs > DECISION_DEADLINE_MS)
      why.push(
        `warn: that took ${Math.round(tookMs)} ms; a machine waits ${DECISION_DEADLINE_MS} ms, and has to ask again`,
      );
    if (typeof decision === 'string') {
      note(run, asks, `nothing: ${decision}`, { why });
      return undefined;
    }
    why.push(...decisionWords(decision, run.policy));
    outcome = step.answer(decision);
  } else outcome = step;
  if (outcome.kind !== 'reply') {
    const told = outcome.kind === 'drop' ? `nothing: ${outcome.reason}, ${outcome.detail}` : outcome.what;
    note(run, asks, told, { why });
    return undefined;
  }
  const { target, reply, boot, remarks = [], unproven } = outcome;
  why.push(...remarks.map(({ words }) => `warn: ${words}`));
  if (unproven !== undefined && policyAsks(run))
    why.push(`${outcome.address} is offered once the network was asked whether somebody else has it`);
  const packet = packetOf(outcome.data);
  note(run, asks, `${reply.toUpperCase()} to ${target.address} port ${target.port}`, {
    options: describeReply(packet),
    why,
  });
  return reply === 'nak' ? undefined : { packet, boot };
}

/** Whether the real server has an address of the pool looked for first. */
function policyAsks({ policy }: Run): boolean {
  return (policy.config.dhcp.conflictDetectionMs ?? 0) > 0;
}

async function askPxe(run: Run, asker: Asker): Promise<BootDecision | undefined> {
  const { policy, sightings } = run;
  const ciaddr = ipv4OfNumber(addressOf(run, asker));
  const direct = { ...asker, giaddr: IPV4_ANY, relayAgent: undefined };
  const asks = `REQUEST from ${ciaddr} to port 4011`;
  const outcome = await answerPxe(messageOf(MessageType.REQUEST, direct, { ciaddr }), {
    decide: policy.decisions.decide,
    serverFor: (client) => serverAddressFor(policy.plan, client),
    sightings,
  });
  if (outcome.kind === 'drop') {
    note(run, asks, `nothing: ${outcome.reason}, ${outcome.detail}`);
    return undefined;
  }
  const why = [clientWords(identifyClient(outcome.request.boot)), ...decisionWords(outcome.boot, policy)];
  note(run, asks, `ACK to ${ciaddr}`, { options: describeReply(packetOf(outcome.data)), why });
  return outcome.boot;
}

async function askFile(run: Run, asker: Asker, decision: Extract<BootDecision, { firmware: string }>): Promise<void> {
  const source = ipv4OfNumber(addressOf(run, asker));
  const isTftp = decision.kind === 'chain-tftp';
  const name = isTftp ? decision.path : new URL(decision.url).pathname.replace(/^\/boot\//, '');
  const found = run.policy.bootLoaders.find(parseBootFilePath(name).file);
  const asks = isTftp ? `${name} by TFTP` : decision.url;
  const isElsewhere = !isTftp && !run.policy.basesOf(source).some((base) => decision.url.startsWith(`${base}/`));
  if (isElsewhere) note(run, asks, 'another server is asked');
  else if (found === undefined) note(run, asks, 'an error: no such file is published');
  else note(run, asks, await fileWords(found.uri, run.policy.roots));
}

async function askScript(run: Run, asker: Asker, serial: string | undefined): Promise<void> {
  const { policy } = run;
  const { mac, uuid } = asker;
  const source = ipv4OfNumber(addressOf(run, asker));
  const arch = architectureOf(asker.arch)?.scriptArch ?? '0';
  const asks = `its script, from ${source}`;
  const { issuer } = policy.decisions;
  const bases = policy.basesOf(source);
  const answer = await issuer.issue({
    base: bases[0],
    mac,
    source,
    arch,
    uuid,
    saidUuid: true,
    serial: serial ?? '',
    entry: undefined,
  });
  switch (answer.kind) {
    case 'refused':
      return note(run, asks, `HTTP ${answer.status}, ${answer.reason}: ${answer.message}`);
    case 'ask': {
      const url = `${bases[0]}/_/ipxe?arch=${arch}&mac=${mac}`;
      return note(run, asks, 'to ask again with what its SMBIOS says', { text: renderAskScript(url, answer.serial) });
    }
    case 'steps': {
      const { plan, steps } = answer;
      // The nonce and the names of files of a dry run open nothing, and look as if they did.
      const text = renderIpxeScript(steps, { mac, bases }).replaceAll(/(nonce|name)=[\w-]+/g, '$1=…');
      note(run, asks, `a script: ${plan.kind}`, { text, why: [`decided by ${plan.origin ?? 'the API'}`] });
      return askPlanFiles(run, plan);
    }
    default:
      return answer satisfies never;
  }
}

async function askPlanFiles(run: Run, plan: BootPlan): Promise<void> {
  if (plan.kind !== 'kernel') return;
  const { roots } = run.policy;
  note(run, 'its kernel', await fileWords(plan.kernel, roots));
  for (const uri of plan.initRamDisks) note(run, 'its initrd', await fileWords(uri, roots));
}

/** The machine's own; where another server leases addresses, one that nobody holds here. */
function addressOf({ policy }: Run, { mac, giaddr, link }: Asker): number {
  const { leases, plan } = policy;
  const own = leases.leasesOf(mac)[0]?.address;
  if (own !== undefined) return own;
  const at = giaddr === IPV4_ANY ? (link ?? plan.serverAddress) : giaddr;
  const subnet = findSubnet(plan.subnets, ipv4ToNumber(at)) ?? plan.subnets[0];
  return (subnet?.network.network ?? 0) + 1;
}

async function decided(decide: () => BootDecision | Promise<BootDecision>): Promise<BootDecision | string> {
  try {
    return await decide();
  } catch (error) {
    if (error instanceof BootServerError) return `undecided, ${error.message}`;
    throw error;
  }
}

function note(
  run: Run,
  asks: string,
  told: string,
  more: { options?: SimulatedStep['options']; why?: readonly string[]; text?: string } = {},
): void {
  const { options = [], why = [], text = '' } = more;
  run.steps.push({ asks, told, options, text, why: [...why, ...run.log.take()] });
}

/** Option 54. */
function serverOf(packet: DhcpPacket): Ipv4 {
  const server = readIpv4(readOptions(packet), OptionCode.SERVER_ID);
  return server?.ok === true ? server.value : packet.siaddr;
}

function packetOf(data: Uint8Array): DhcpPacket {
  const decoded = decodeDhcp(data);
  if (!decoded.ok) throw new TypeError(`an own reply cannot be decoded: ${decoded.reason}`);
  return decoded.value;
}
