import { X509Certificate } from 'node:crypto';
import {
  adminV2,
  ApiError,
  apiV2,
  createChannel,
  createClient,
  ingotAdminV1,
  type ApiClient,
  type Channel,
  type ChannelOptions,
} from '@ingot/api';
import { type ApiContext, type ContextFlags, resolveContext } from './context.ts';
import { CliError, CliErrorCode, explainApiError } from './errors.ts';
import type { CliIo } from './io.ts';
import { readText } from './read-file.ts';
import { traceTo } from './trace.ts';

/** The services that the commands call, on one connection. */
export interface Api {
  readonly machines: ApiClient<typeof adminV2.MachineService>;
  readonly switches: ApiClient<typeof adminV2.SwitchService>;
  readonly tokens: ApiClient<typeof adminV2.TokenService>;
  readonly ownTokens: ApiClient<typeof apiV2.TokenService>;
  readonly version: ApiClient<typeof apiV2.VersionService>;
  readonly health: ApiClient<typeof apiV2.HealthService>;
  readonly methods: ApiClient<typeof apiV2.MethodService>;
  readonly users: ApiClient<typeof apiV2.UserService>;
  readonly projectMachines: ApiClient<typeof apiV2.MachineService>;
  readonly labels: ApiClient<typeof ingotAdminV1.LabelService>;
  readonly wipes: ApiClient<typeof ingotAdminV1.WipeService>;
  readonly adminTenants: ApiClient<typeof adminV2.TenantService>;
  readonly tenants: ApiClient<typeof apiV2.TenantService>;
  readonly adminProjects: ApiClient<typeof adminV2.ProjectService>;
  readonly projects: ApiClient<typeof apiV2.ProjectService>;
  readonly partitions: ApiClient<typeof apiV2.PartitionService>;
  readonly adminPartitions: ApiClient<typeof adminV2.PartitionService>;
  readonly sizes: ApiClient<typeof apiV2.SizeService>;
  readonly adminSizes: ApiClient<typeof adminV2.SizeService>;
  readonly sizeReservations: ApiClient<typeof adminV2.SizeReservationService>;
  readonly projectSizeReservations: ApiClient<typeof apiV2.SizeReservationService>;
  readonly images: ApiClient<typeof apiV2.ImageService>;
  readonly adminImages: ApiClient<typeof adminV2.ImageService>;
  readonly sizeImageConstraints: ApiClient<typeof adminV2.SizeImageConstraintService>;
  readonly trySizeImageConstraints: ApiClient<typeof apiV2.SizeImageConstraintService>;
  readonly filesystems: ApiClient<typeof apiV2.FilesystemService>;
  readonly adminFilesystems: ApiClient<typeof adminV2.FilesystemService>;
  readonly networks: ApiClient<typeof adminV2.NetworkService>;
  readonly projectNetworks: ApiClient<typeof apiV2.NetworkService>;
  readonly ips: ApiClient<typeof apiV2.IPService>;
  readonly adminIps: ApiClient<typeof adminV2.IPService>;
  readonly audit: ApiClient<typeof adminV2.AuditService>;
  readonly tenantAudit: ApiClient<typeof apiV2.AuditService>;
  readonly tasks: ApiClient<typeof adminV2.TaskService>;
  readonly components: ApiClient<typeof adminV2.ComponentService>;
  /** Puts a failed call into words. */
  explain(error: ApiError): CliError;
}

const TIMEOUT_MS = 15_000;
/** Thousands of machines, from a server that others keep busy. */
const LONG_TIMEOUT_MS = 60_000;
/** Ten thousand machines with all that is known of them, and room. */
const MAX_ANSWER_BYTES = 256 * 2 ** 20;

/** Deadline of a command's calls. */
export const call: { readonly timeoutMs: number } = { timeoutMs: TIMEOUT_MS };

/** Deadline of those that look at every machine or switch there is. */
export const longCall: { readonly timeoutMs: number } = { timeoutMs: LONG_TIMEOUT_MS };

/** Runs `use` with the API that flags, environment and configuration lead to. Throws CliError. */
export async function withApi<T>(flags: ContextFlags, io: CliIo, use: (api: Api) => Promise<T>): Promise<T> {
  const context = resolveContext(flags, io);
  const ca = readText(context.caFile, `the CA of the API server, from ${context.caFileFrom}`);
  const token = readText(context.tokenFile, `the token, from ${context.tokenFileFrom}`).trim();
  if (token === '') throw new CliError(CliErrorCode.File, `${context.tokenFile} is empty; write the token into it`);
  const onCall = traceTo(flags, io);
  const channel = openChannel(context, ca, token, onCall);
  try {
    return await use({
      machines: createClient(adminV2.MachineService, channel),
      switches: createClient(adminV2.SwitchService, channel),
      tokens: createClient(adminV2.TokenService, channel),
      ownTokens: createClient(apiV2.TokenService, channel),
      version: createClient(apiV2.VersionService, channel),
      health: createClient(apiV2.HealthService, channel),
      methods: createClient(apiV2.MethodService, channel),
      users: createClient(apiV2.UserService, channel),
      projectMachines: createClient(apiV2.MachineService, channel),
      labels: createClient(ingotAdminV1.LabelService, channel),
      wipes: createClient(ingotAdminV1.WipeService, channel),
      adminTenants: createClient(adminV2.TenantService, channel),
      tenants: createClient(apiV2.TenantService, channel),
      adminProjects: createClient(adminV2.ProjectService, channel),
      projects: createClient(apiV2.ProjectService, channel),
      partitions: createClient(apiV2.PartitionService, channel),
      adminPartitions: createClient(adminV2.PartitionService, channel),
      sizes: createClient(apiV2.SizeService, channel),
      adminSizes: createClient(adminV2.SizeService, channel),
      sizeReservations: createClient(adminV2.SizeReservationService, channel),
      projectSizeReservations: createClient(apiV2.SizeReservationService, channel),
      images: createClient(apiV2.ImageService, channel),
      adminImages: createClient(adminV2.ImageService, channel),
      sizeImageConstraints: createClient(adminV2.SizeImageConstraintService, channel),
      trySizeImageConstraints: createClient(apiV2.SizeImageConstraintService, channel),
      filesystems: createClient(apiV2.FilesystemService, channel),
      adminFilesystems: createClient(adminV2.FilesystemService, channel),
      networks: createClient(adminV2.NetworkService, channel),
      projectNetworks: createClient(apiV2.NetworkService, channel),
      ips: createClient(apiV2.IPService, channel),
      adminIps: createClient(adminV2.IPService, channel),
      audit: createClient(adminV2.AuditService, channel),
      tenantAudit: createClient(apiV2.AuditService, channel),
      tasks: createClient(adminV2.TaskService, channel),
      components: createClient(adminV2.ComponentService, channel),
      explain: (error) => explainApiError(error, context),
    });
  } catch (error) {
    throw error instanceof ApiError ? explainApiError(error, context) : error;
  } finally {
    channel.close();
  }
}

function openChannel(
  { url, caFile }: ApiContext,
  ca: string,
  token: string,
  onCall: ChannelOptions['onCall'],
): Channel {
  try {
    // OpenSSL takes any text for a CA file and then trusts nobody, which is hard to make out later.
    void new X509Certificate(ca);
    return createChannel({
      url,
      ca,
      token,
      maxMessageBytes: MAX_ANSWER_BYTES,
      ...(onCall === undefined ? {} : { onCall }),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(CliErrorCode.Argument, error.message, error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${caFile} is no CA certificate in PEM form: ${reason}`, error);
  }
}
