import { readFile } from 'node:fs/promises';
import type { DaemonContext, RunningDaemon } from '@ingot/daemon';
import { connectApi } from './api.ts';
import type { BmcAgentConfig } from './config.ts';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';
import { ipmiController } from './ipmi/ipmi-controller.ts';
import { ipmitoolRunner } from './ipmi/run-ipmitool.ts';
import { createBmcMetrics } from './metrics.ts';
import { targetOf } from './target.ts';
import { startBmcWorker } from './worker.ts';

/**
 * Runs the worker for the management controllers of a partition. Resolves once it runs, before the API has answered;
 * throws BmcError `BMC_CA_FILE`.
 */
export async function runBmcAgent(context: DaemonContext<BmcAgentConfig>): Promise<RunningDaemon> {
  const { config, log, signal } = context;
  const api = connectApi({
    url: config.api.url,
    ca: await readCa(config.api.caFile),
    tokenFile: config.api.tokenFile,
    timeoutMs: config.api.timeoutSeconds * 1000,
    partition: config.partition,
  });
  const run = ipmitoolRunner(config.ipmi.ipmitool);
  const worker = startBmcWorker({
    api,
    controllerOf(command, until) {
      const target = targetOf(command.bmc);
      if (target.protocol === 'redfish')
        throw new BmcError(
          BmcErrorCode.Unsupported,
          `the BMC at ${target.name} is to be spoken to by Redfish, which this worker does not do yet: report it with its IPMI port, 623`,
        );
      return ipmiController(target, run, {
        uefi: config.firmware === 'uefi',
        cipherSuite: config.ipmi.cipherSuite,
        signal: until,
      });
    },
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
  const stop = async (): Promise<void> => {
    await worker.stop();
    api.close();
  };
  if (signal.aborted) {
    await stop();
    signal.throwIfAborted();
  }
  return { stop };
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new BmcError(
      BmcErrorCode.CaFile,
      `${file} cannot be read (${reasonOf(error)}); put the API server's CA (ca.pem) there, or correct api.caFile`,
      error,
    );
  }
}
