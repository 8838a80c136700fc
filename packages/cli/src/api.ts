import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  adminV2,
  ApiError,
  apiV2,
  createChannel,
  createClient,
  ingotAdminV1,
  type ApiClient,
  type Channel,
} from '@ingot/api';
import { type ApiContext, type ContextFlags, resolveContext } from './context.ts';
import { CliError, CliErrorCode, explainApiError } from './errors.ts';
import type { CliIo } from './io.ts';

/** The services that the commands call, on one connection. */
export interface Api {
  readonly machines: ApiClient<typeof adminV2.MachineService>;
  readonly switches: ApiClient<typeof adminV2.SwitchService>;
  readonly tokens: ApiClient<typeof adminV2.TokenService>;
  readonly version: ApiClient<typeof apiV2.VersionService>;
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
  readonly images: ApiClient<typeof apiV2.ImageService>;
  readonly adminImages: ApiClient<typeof adminV2.ImageService>;
  readonly sizeImageConstraints: ApiClient<typeof adminV2.SizeImageConstraintService>;
  readonly filesystems: ApiClient<typeof apiV2.FilesystemService>;
  readonly adminFilesystems: ApiClient<typeof adminV2.FilesystemService>;
  readonly networks: ApiClient<typeof adminV2.NetworkService>;
  readonly ips: ApiClient<typeof apiV2.IPService>;
  readonly adminIps: ApiClient<typeof adminV2.IPService>;
}

const TIMEOUT_MS = 15_000;

/** Deadline of a command's calls. */
export const call: { readonly timeoutMs: number } = { timeoutMs: TIMEOUT_MS };

/** Runs `use` with the API that flags, environment and configuration lead to. Throws CliError. */
export async function withApi<T>(flags: ContextFlags, io: CliIo, use: (api: Api) => Promise<T>): Promise<T> {
  const context = resolveContext(flags, io);
  const ca = readText(context.caFile, `the CA of the API server, from ${context.source}`);
  const token = readText(context.tokenFile, `the token, from ${context.source}`).trim();
  if (token === '') throw new CliError(CliErrorCode.File, `${context.tokenFile} is empty; write the token into it`);
  const channel = openChannel(context, ca, token);
  try {
    return await use({
      machines: createClient(adminV2.MachineService, channel),
      switches: createClient(adminV2.SwitchService, channel),
      tokens: createClient(adminV2.TokenService, channel),
      version: createClient(apiV2.VersionService, channel),
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
      images: createClient(apiV2.ImageService, channel),
      adminImages: createClient(adminV2.ImageService, channel),
      sizeImageConstraints: createClient(adminV2.SizeImageConstraintService, channel),
      filesystems: createClient(apiV2.FilesystemService, channel),
      adminFilesystems: createClient(adminV2.FilesystemService, channel),
      networks: createClient(adminV2.NetworkService, channel),
      ips: createClient(apiV2.IPService, channel),
      adminIps: createClient(adminV2.IPService, channel),
    });
  } catch (error) {
    throw error instanceof ApiError ? explainApiError(error, context) : error;
  } finally {
    channel.close();
  }
}

function openChannel({ url, caFile }: ApiContext, ca: string, token: string): Channel {
  try {
    // OpenSSL takes any text for a CA file and then trusts nobody, which is hard to make out later.
    void new X509Certificate(ca);
    return createChannel({ url, ca, token });
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(CliErrorCode.Argument, error.message, error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${caFile} is no CA certificate in PEM form: ${reason}`, error);
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${file} (${what}) cannot be read: ${reason}`, error);
  }
}
