import {
  ApiError,
  apiV2,
  Code,
  createChannel,
  createClient,
  durationFromMs,
  infraV2,
  timestampFromMs,
  type MessageInitShape,
} from '@ingot/api';
import type { BmcReport } from './reports.ts';
import { bmcAgentVersion } from './version.ts';

/** A command that somebody has given for a machine. */
export interface BmcCommand {
  readonly id: string;
  readonly machine: string;
  readonly command: apiV2.MachineBMCCommand;
  readonly bmc: apiV2.MachineBMC | undefined;
}

/** The API, as far as the worker needs it. */
export interface BmcApi {
  /** The commands of the partition, for as long as the connection lasts. */
  commands(signal: AbortSignal): AsyncIterable<BmcCommand>;
  /** Says how a command went; false when the API does not wait for it (any more). */
  done(id: string, error: string | undefined, signal: AbortSignal): Promise<boolean>;
  /** Tells of BMCs, and of the power states of their machines. */
  report(reports: readonly BmcReport[], signal: AbortSignal): Promise<void>;
  /** Tells that this worker is there, since `startedMs`, and will again in `intervalMs`. */
  ping(startedMs: number, intervalMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface ApiOptions {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly tokenFile: string;
  readonly timeoutMs: number;
  readonly partition: string;
  /** Of this worker among others: the name of its host. */
  readonly identifier: string;
}

export function connectApi({ url, ca, tokenFile, timeoutMs, partition, identifier }: ApiOptions): BmcApi {
  const channel = createChannel({ url, ca, tokenFile, defaultTimeoutMs: timeoutMs });
  const client = createClient(infraV2.BMCService, channel);
  return {
    async *commands(signal) {
      for await (const { uuid, bmcCommand, machineBmc, commandId } of client.waitForBMCCommand(
        { partition },
        { signal },
      ))
        yield { id: commandId, machine: uuid, command: bmcCommand, bmc: machineBmc };
    },
    async done(commandId, error, signal) {
      try {
        await client.bMCCommandDone(error === undefined ? { commandId } : { commandId, error }, { signal });
        return true;
      } catch (failure) {
        if (failure instanceof ApiError && failure.code === Code.NotFound) return false;
        throw failure;
      }
    },
    async report(reports, signal) {
      await client.updateBMCInfo({ partition, bmcReports: reports.map(toMessage) }, { signal });
    },
    async ping(startedMs, intervalMs, signal) {
      await createClient(infraV2.ComponentService, channel).ping(
        {
          type: apiV2.ComponentType.METAL_BMC,
          identifier,
          version: { version: bmcAgentVersion },
          startedAt: timestampFromMs(Math.trunc(startedMs)),
          interval: durationFromMs(intervalMs),
        },
        { signal },
      );
    },
    close: () => channel.close(),
  };
}

/** What was not read is left out: the API keeps what it had. */
function toMessage({ uuid, told, facts, seenMs }: BmcReport): MessageInitShape<typeof apiV2.MachineBMCReportSchema> {
  const { isOn, isLit, version, biosVersion, fru, powerMetric, powerSupplies } = facts;
  return {
    uuid,
    bmc: { ...told, powerState: isOn ? 'ON' : 'OFF', ...(version === undefined ? {} : { version }) },
    ...(biosVersion === undefined ? {} : { bios: { version: biosVersion } }),
    ...(fru === undefined ? {} : { fru }),
    ...(powerMetric === undefined ? {} : { powerMetric }),
    ...(powerSupplies === undefined ? {} : { powerSupplies: [...powerSupplies] }),
    ...(isLit === undefined
      ? {}
      : { ledState: { value: isLit ? 'LED-ON' : 'LED-OFF', description: 'as its BMC says' } }),
    updatedAt: timestampFromMs(seenMs),
  };
}
