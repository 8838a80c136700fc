import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { readSecretFile, type DaemonContext, type RunningDaemon } from '@ingot/daemon';
import { nodeNetwork, type Endpoint } from '@ingot/net';
import { connectApi, type BmcCommand } from './api.ts';
import { readCandidates, type BmcCandidate } from './candidates.ts';
import type { BmcAgentConfig } from './config.ts';
import type { BmcConnection } from './controller.ts';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';
import type { BmcFacts } from './facts.ts';
import { MAX_MACHINES, readInventory } from './inventory.ts';
import { ipmiController } from './ipmi/ipmi-controller.ts';
import { createIpmiKnowledge, type IpmiKnowledge } from './ipmi/ipmi-inspector.ts';
import { speaksIpmi } from './ipmi/presence.ts';
import { ipmitoolRunner } from './ipmi/run-ipmitool.ts';
import { createLeaseBook } from './leases/lease-book.ts';
import { createBmcMetrics, createReportMetrics } from './metrics.ts';
import { runPings } from './pings.ts';
import { redfishController } from './redfish/redfish-controller.ts';
import { redfishSession } from './redfish/redfish-session.ts';
import { runReports } from './reports.ts';
import { targetOf, type BmcTarget, type CommonLogin } from './target.ts';
import { startBmcWorker } from './worker.ts';

/**
 * Runs the worker for the management controllers of a partition. Resolves once it runs, before the API has answered;
 * throws BmcError `BMC_CA_FILE`.
 */
export async function runBmcAgent(context: DaemonContext<BmcAgentConfig>): Promise<RunningDaemon> {
  const { config, log, signal } = context;
  const ca = await readCa(config.api.caFile, 'api.caFile', "API server's CA (ca.pem)");
  const { caFile, fingerprints, insecure } = config.redfish;
  const trust = {
    ca: caFile === undefined ? undefined : await readCa(caFile, 'redfish.caFile', "BMCs' CA"),
    fingerprints,
    insecure,
  };
  const uefi = config.firmware === 'uefi';
  const run = ipmitoolRunner(config.ipmi.ipmitool);
  const api = connectApi({
    url: config.api.url,
    ca,
    tokenFile: config.api.tokenFile,
    timeoutMs: config.api.timeoutSeconds * 1000,
    partition: config.partition,
    // The API takes names of 2 to 128 characters.
    identifier: hostname().padEnd(2, '-').slice(0, 128),
  });
  const network = nodeNetwork({ native: false });
  const knowledge = new Map<string, IpmiKnowledge>();
  const knowledgeOf = ({ name }: BmcTarget): IpmiKnowledge => {
    const known = knowledge.get(name) ?? createIpmiKnowledge(context.clock);
    if (knowledge.size >= MAX_MACHINES) knowledge.clear();
    knowledge.set(name, known);
    return known;
  };
  const controllerOf = (machine: string | undefined, target: BmcTarget, until: AbortSignal): BmcConnection => {
    if (target.protocol === 'redfish')
      return redfishController({ session: redfishSession(target, trust, until), machine, uefi });
    const options = { uefi, cipherSuite: config.ipmi.cipherSuite, signal: until };
    return ipmiController(target, run, options, knowledgeOf(target));
  };
  const inspect = async ({ uuid, login }: BmcCandidate, until: AbortSignal): Promise<BmcFacts> => {
    const bmc = controllerOf(uuid, targetOf(login), until);
    try {
      return await bmc.inspect();
    } finally {
      await bmc.close();
    }
  };
  /** A BMC that only a lease tells of is asked by Redfish whose it is; one that cannot be asked is at least named. */
  const inspectFound = async (candidate: BmcCandidate, until: AbortSignal): Promise<BmcFacts> => {
    try {
      return await inspect(candidate, until);
    } catch (error) {
      const isSilent = error instanceof BmcError && error.code === BmcErrorCode.Unreachable;
      const target = endpointOf(candidate.told.address);
      if (candidate.uuid !== undefined || !isSilent || target === undefined) throw error;
      if (!(await speaksIpmi(target, { network, clock: context.clock, signal: until }))) throw error;
      throw new BmcError(
        BmcErrorCode.Unsupported,
        `the BMC at ${target.address} speaks IPMI and no Redfish, so it does not say whose it is: boot its machine from the ` +
          'network, which tells the API, or enter it into the inventory',
        error,
      );
    }
  };
  const reporting = new AbortController();
  const { files, networks, port, user, passwordFile } = config.leases;
  const book = createLeaseBook({ files, networks, clock: context.clock, log, signal: reporting.signal });
  const common =
    user === undefined || passwordFile === undefined
      ? undefined
      : async (): Promise<CommonLogin> => ({ user, password: await readSecretFile(passwordFile) });
  const commanded = async ({ machine, bmc }: BmcCommand, until: AbortSignal): Promise<BmcConnection> => {
    if (bmc === undefined) return controllerOf(machine, targetOf(bmc), until);
    const found = { ...bmc, address: await book.follow(bmc) };
    // The login of all BMCs goes nowhere else, whatever address somebody has reported.
    const login = bmc.user === '' && book.covers(found.address) ? await common?.() : undefined;
    return controllerOf(machine, targetOf(found, login), until);
  };
  const worker = startBmcWorker({
    api,
    controllerOf: commanded,
    atOnce: config.atOnce,
    commandMs: config.commandSeconds * 1000,
    clock: context.clock,
    entropy: context.entropy,
    log,
    metrics: (waiting) => createBmcMetrics(context.metrics, waiting),
    health: context.health,
    status: (text) => context.status(text),
  });
  log.info({ partition: config.partition, api: config.api.url }, 'the worker for management controllers runs');
  const { file, reportSeconds } = config.inventory;
  const reported =
    file === undefined && common === undefined
      ? Promise.resolve()
      : runReports({
          read: () =>
            readCandidates({
              inventory: () => (file === undefined ? Promise.resolve([]) : readInventory(file)),
              book,
              common,
              port,
            }),
          inspect: inspectFound,
          send: (reports, until) => api.report(reports, until),
          atOnce: config.atOnce,
          periodMs: reportSeconds * 1000,
          clock: context.clock,
          log,
          onRound: createReportMetrics(context.metrics),
          signal: reporting.signal,
        });
  const { clock, entropy } = context;
  const pinged = runPings({ api, clock, entropy, log, signal: reporting.signal });
  const stop = async (): Promise<void> => {
    reporting.abort(new Error('the worker stops'));
    await Promise.all([worker.stop(), reported, pinged]);
    api.close();
  };
  if (signal.aborted) {
    await stop();
    signal.throwIfAborted();
  }
  return { stop };
}

/** Of `10.9.0.1:623` or `[fd00::1]:623`, as candidates have it. */
function endpointOf(text: string): Endpoint | undefined {
  const [, address = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? [];
  return address === '' ? undefined : { address, port: Number(port) };
}

async function readCa(file: string, setting: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new BmcError(
      BmcErrorCode.CaFile,
      `${file} cannot be read (${reasonOf(error)}); put the ${what} there, or correct ${setting}`,
      error,
    );
  }
}
