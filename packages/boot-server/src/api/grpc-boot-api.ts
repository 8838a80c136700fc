import { readFile } from 'node:fs/promises';
import {
  ApiError,
  apiV2,
  Code,
  createChannel,
  createClient,
  durationFromMs,
  infraV2,
  timestampFromMs,
  timestampMs,
  type Channel,
} from '@ingot/api';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { ImageLists } from '../image-cache/lists.ts';
import type { BootAnswer, BootApi } from './boot-api.ts';
import type { ComponentApi } from './component-ping.ts';

export interface GrpcBootApiOptions {
  /** This and the next two are looked at before each call: a reload may change them. */
  readonly url: string;
  /** Read before each call, so that it may come, or change, after the start. */
  readonly caFile: string;
  readonly tokenFile: string;
  readonly partition: string;
  readonly signal: AbortSignal;
}

/** iPXE waits for its script meanwhile; a healthy API answers within milliseconds. */
const BOOT_TIMEOUT_MS = 3_000;
const DHCP_TIMEOUT_MS = 5_000;
const TOKEN_TIMEOUT_MS = 5_000;
const PING_TIMEOUT_MS = 2_000;
const LIST_TIMEOUT_MS = 10_000;
/** Long enough for a machine to be looked at; it registers within minutes. */
const TOKEN_LIFETIME_MS = 72 * 60 * 60 * 1000;

/** Codes that say no to this machine; with all others the answer is unknown, and asking again may bring it. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
]);

/** The API over gRPC; the connection is made at the first call and made again when it is lost. */
export function grpcBootApi(options: GrpcBootApiOptions): BootApi & ComponentApi & ImageLists {
  const { partition, signal } = options;
  let current: { made: string; channel: Channel } | undefined;
  const channel = async (): Promise<Channel> => {
    const { url, caFile, tokenFile } = options;
    const ca = await readFile(caFile, 'utf8');
    const made = [url, tokenFile, ca].join(' ');
    if (current === undefined || current.made !== made) {
      // Calls that are under way go to their end.
      current?.channel.close();
      current = { made, channel: createChannel({ url, ca, tokenFile, maxReconnectDelayMs: 2_000 }) };
    }
    return current.channel;
  };
  const call = async <T>(what: string, ask: (channel: Channel) => Promise<T>): Promise<T> => {
    try {
      return await ask(await channel());
    } catch (cause) {
      if (cause instanceof BootServerError) throw cause;
      const words = wordsOf(cause);
      const isRefusal = cause instanceof ApiError && REFUSALS.has(cause.code);
      const code = isRefusal ? BootServerErrorCode.ApiRefused : BootServerErrorCode.ApiAway;
      throw new BootServerError(
        code,
        `${isRefusal ? 'the API refuses' : 'the API cannot be asked for'} ${what}: ${words}`,
        cause,
      );
    }
  };
  return {
    dhcp: (uuid) =>
      call('the boot event', async (connection) => {
        await createClient(infraV2.BootService, connection).dhcp(
          { uuid, partition },
          { timeoutMs: DHCP_TIMEOUT_MS, signal },
        );
      }),
    boot: (mac) =>
      call('what to boot', async (connection): Promise<BootAnswer> => {
        const response = await createClient(infraV2.BootService, connection).boot(
          { mac, partition },
          { timeoutMs: BOOT_TIMEOUT_MS, signal },
        );
        return checked({
          kernel: response.kernel,
          initRamDisks: response.initRamDisks,
          cmdline: response.cmdline ?? '',
        });
      }),
    machineToken: (uuid) =>
      call('a machine token', async (connection) => {
        const { secret } = await createClient(apiV2.TokenService, connection).create(
          {
            description: `discovery of ${uuid}`,
            expires: durationFromMs(TOKEN_LIFETIME_MS),
            machineRoles: { [uuid]: apiV2.MachineRole.EDITOR },
          },
          { timeoutMs: TOKEN_TIMEOUT_MS, signal },
        );
        return secret;
      }),
    ping: ({ identifier, version, startedAtMs, intervalMs }, until) =>
      call('a component ping', async (connection) => {
        await createClient(infraV2.ComponentService, connection).ping(
          {
            type: apiV2.ComponentType.PIXIECORE,
            identifier,
            version: { version },
            startedAt: timestampFromMs(Math.trunc(startedAtMs)),
            interval: durationFromMs(intervalMs),
          },
          { timeoutMs: PING_TIMEOUT_MS, signal: AbortSignal.any([signal, until]) },
        );
      }),
    images: () =>
      call('its images', async (connection) => {
        const { images } = await createClient(apiV2.ImageService, connection).list(
          {},
          { timeoutMs: LIST_TIMEOUT_MS, signal },
        );
        return images.map((image) => ({
          id: image.id,
          url: image.url,
          expiresAt: image.expiresAt === undefined ? undefined : timestampMs(image.expiresAt),
        }));
      }),
    bootFiles: () =>
      call('the partition', async (connection) => {
        const answer = await createClient(apiV2.PartitionService, connection).get(
          { id: partition },
          { timeoutMs: LIST_TIMEOUT_MS, signal },
        );
        const boot = answer.partition?.bootConfiguration;
        return [boot?.kernelUrl ?? '', boot?.imageUrl ?? ''].filter((uri) => uri !== '');
      }),
    close: () => {
      current?.channel.close();
      current = undefined;
      return Promise.resolve();
    },
  };
}

/** The command line becomes a line of a script: a line break in it would be a command of its own. */
function checked(answer: BootAnswer): BootAnswer {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(answer.cmdline)) {
    throw new BootServerError(
      BootServerErrorCode.ApiRefused,
      'the API’s command line has control characters in it: mend the boot configuration of the partition',
    );
  }
  if (answer.kernel === '')
    throw new BootServerError(
      BootServerErrorCode.ApiRefused,
      'the partition has no kernel: set its boot configuration',
    );
  return { ...answer, cmdline: answer.cmdline.trim() };
}
