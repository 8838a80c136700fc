import { readFile } from 'node:fs/promises';
import type { DaemonContext, RunningDaemon } from '@ingot/daemon';
import { connectApi } from './api.ts';
import type { BmcAgentConfig } from './config.ts';
import type { BmcController } from './controller.ts';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';
import { readInventory } from './inventory.ts';
import { ipmiController } from './ipmi/ipmi-controller.ts';
import { ipmitoolRunner } from './ipmi/run-ipmitool.ts';
import { createBmcMetrics, createReportMetrics } from './metrics.ts';
import { redfishCall } from './redfish/redfish-call.ts';
import { redfishController } from './redfish/redfish-controller.ts';
import { runReports } from './reports.ts';
import { targetOf, type BmcTarget } from './target.ts';
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
  });
  const controllerOf = (machine: string, target: BmcTarget, until: AbortSignal): BmcController =>
    target.protocol === 'redfish'
      ? redfishController({ call: redfishCall(target, trust, until), machine, uefi })
      : ipmiController(target, run, { uefi, cipherSuite: config.ipmi.cipherSuite, signal: until });
  const worker = startBmcWorker({
    api,
    controllerOf: (command, until) => controllerOf(command.machine, targetOf(command.bmc), until),
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
  const reporting = new AbortController();
  const { file, reportSeconds } = config.inventory;
  const reported =
    file === undefined
      ? Promise.resolve()
      : runReports({
          read: () => readInventory(file),
          isOn: (machine, until) => controllerOf(machine.uuid, targetOf(machine), until).isOn(),
          send: (reports, until) => api.report(reports, until),
          atOnce: config.atOnce,
          periodMs: reportSeconds * 1000,
          clock: context.clock,
          log,
          onRound: createReportMetrics(context.metrics),
          signal: reporting.signal,
        });
  const stop = async (): Promise<void> => {
    reporting.abort(new Error('the worker stops'));
    await Promise.all([worker.stop(), reported]);
    api.close();
  };
  if (signal.aborted) {
    await stop();
    signal.throwIfAborted();
  }
  return { stop };
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
