import { readFileSync, writeFileSync } from 'node:fs';
import { adminV2, apiV2, createChannel, createClient, durationFromMs } from '@ingot/api';

/** The API as the rack's owner sees it. */
export interface ApiView {
  machines(): Promise<readonly apiV2.Machine[]>;
  switches(): Promise<readonly apiV2.Switch[]>;
  /** A machine's BMC as the machine itself reported it, its user and password included. */
  bmc(uuid: string): Promise<apiV2.MachineBMC | undefined>;
  /** Leaves an infra token for `user` in `file`, mode 0600; with `machines` it may also mint machine tokens. */
  createToken(user: string, file: string, rights: { readonly machines: boolean }): Promise<void>;
  close(): void;
}

const callTimeoutMs = 10_000;
const tokenLifetimeMs = 7 * 24 * 3_600_000;

export function createApiView(at: {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
}): ApiView {
  const channel = createChannel({
    url: at.url,
    ca: readFileSync(at.caFile, 'utf8'),
    token: readFileSync(at.tokenFile, 'utf8').trim(),
  });
  const machineClient = createClient(adminV2.MachineService, channel);
  const switchClient = createClient(adminV2.SwitchService, channel);
  const tokenClient = createClient(adminV2.TokenService, channel);
  const call = { timeoutMs: callTimeoutMs };
  return {
    machines: async () => (await machineClient.list({}, call)).machines,
    switches: async () => (await switchClient.list({}, call)).switches,
    bmc: async (uuid) => (await machineClient.getBMC({ uuid }, call)).bmcDetails?.bmcReport?.bmc,
    async createToken(user, file, rights) {
      const { secret } = await tokenClient.create(
        {
          user,
          tokenCreateRequest: {
            description: `${user} of the virtual rack`,
            expires: durationFromMs(tokenLifetimeMs),
            infraRole: apiV2.InfraRole.EDITOR,
            machineRoles: rights.machines ? { '*': apiV2.MachineRole.EDITOR } : {},
            permissions: [
              {
                visibility: {
                  case: 'self',
                  value: {
                    methods: ['/metalstack.api.v2.TokenService/Create', '/metalstack.api.v2.TokenService/Refresh'],
                  },
                },
              },
            ],
          },
        },
        call,
      );
      writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    },
    close: () => channel.close(),
  };
}
