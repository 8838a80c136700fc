import * as z from 'zod/mini';
import { Secret } from '../secret.ts';

/** What the agent does where there is a choice; the boot server's `agent` section says it. */
export interface AgentPolicy {
  /** An allocated machine that boots from the network is started from its disk, or held. */
  readonly allocated: 'disk' | 'hold';
  /** A machine that waits restarts after so many hours; 0: never. */
  readonly autoRebootHours: number;
  /** A BMC that cannot be set up keeps the machine from waiting. */
  readonly bmcRequired: boolean;
  /** Whom it makes in the BMC; undefined: it touches no account there. */
  readonly bmcUser: string | undefined;
  /** What the BMC has the machine boot from then on; undefined: as it is. */
  readonly bmcBootOrder: 'pxe' | 'disk' | undefined;
  readonly lldp: {
    readonly timeoutMs: number;
    /** Undefined: as the NICs are. */
    readonly mtu: number | undefined;
    /** Which LLDP speakers are leaves, by their names; undefined: all. */
    readonly leafNames: RegExp | undefined;
  };
  readonly screen: 'vt' | 'all' | 'off';
  readonly sshDebug: boolean;
}

/** Where log lines are pushed to. */
export interface LokiTarget {
  readonly endpoint: URL;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

export const defaultPolicy: AgentPolicy = {
  allocated: 'disk',
  autoRebootHours: 0,
  bmcRequired: false,
  bmcUser: 'metal',
  bmcBootOrder: undefined,
  lldp: { timeoutMs: 40_000, mtu: undefined, leafNames: undefined },
  screen: 'vt',
  sshDebug: false,
};

/** `agent` of the config, as it is written there. */
export interface GivenPolicy {
  readonly allocated?: 'disk' | 'hold' | null | undefined;
  readonly auto_reboot_hours?: number | null | undefined;
  readonly bmc_required?: boolean | null | undefined;
  readonly bmc_user?: string | null | undefined;
  readonly bmc_boot_order?: 'leave' | 'pxe' | 'disk' | null | undefined;
  readonly lldp?:
    | {
        readonly timeout_seconds?: number | null | undefined;
        readonly mtu?: number | null | undefined;
        readonly leaf_names?: string | null | undefined;
      }
    | null
    | undefined;
  readonly screen?: 'vt' | 'all' | 'off' | null | undefined;
  readonly ssh_debug?: boolean | null | undefined;
}

/** `logging` of the config, as metal-hammer has it. */
export interface GivenLogging {
  readonly endpoint: string;
  readonly basic_auth?: { readonly user: string; readonly password: string } | null | undefined;
}

const optional = <T extends z.core.$ZodType>(type: T): z.ZodMiniOptional<z.ZodMiniNullable<T>> =>
  z.optional(z.nullable(type));

const pattern = z.string().check(
  z.maxLength(256),
  z.refine((text) => regExp(text) !== undefined, 'is no regular expression'),
);
const httpUrl = z
  .string()
  .check(z.refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'is no http address'));

/** Unknown fields are ignored: boot server and image are updated at different times. */
export const policySchema: z.ZodMiniType<GivenPolicy | null | undefined> = optional(
  z.object({
    allocated: optional(z.enum(['disk', 'hold'])),
    auto_reboot_hours: optional(z.int().check(z.gte(0), z.lte(720))),
    bmc_required: optional(z.boolean()),
    bmc_user: optional(z.string().check(z.regex(/^[\w.-]{0,16}$/))),
    bmc_boot_order: optional(z.enum(['leave', 'pxe', 'disk'])),
    lldp: optional(
      z.object({
        timeout_seconds: optional(z.int().check(z.gte(1), z.lte(600))),
        mtu: optional(z.int().check(z.gte(1280), z.lte(9216))),
        leaf_names: optional(pattern),
      }),
    ),
    screen: optional(z.enum(['vt', 'all', 'off'])),
    ssh_debug: optional(z.boolean()),
  }),
);

export const loggingSchema: z.ZodMiniType<GivenLogging | null | undefined> = optional(
  z.object({
    endpoint: httpUrl,
    basic_auth: optional(z.object({ user: z.string(), password: z.string() })),
  }),
);

export function policyOf(given: GivenPolicy | null | undefined): AgentPolicy {
  if (given === undefined || given === null) return defaultPolicy;
  const { lldp } = given;
  const seconds = lldp?.timeout_seconds ?? undefined;
  return {
    allocated: given.allocated ?? defaultPolicy.allocated,
    autoRebootHours: given.auto_reboot_hours ?? defaultPolicy.autoRebootHours,
    bmcRequired: given.bmc_required ?? defaultPolicy.bmcRequired,
    bmcUser: given.bmc_user === '' ? undefined : (given.bmc_user ?? defaultPolicy.bmcUser),
    bmcBootOrder: bootOrderOf(given.bmc_boot_order),
    lldp: {
      timeoutMs: seconds === undefined ? defaultPolicy.lldp.timeoutMs : seconds * 1000,
      mtu: lldp?.mtu ?? undefined,
      leafNames: regExp(lldp?.leaf_names ?? undefined),
    },
    screen: given.screen ?? defaultPolicy.screen,
    sshDebug: given.ssh_debug ?? defaultPolicy.sshDebug,
  };
}

export function lokiOf(given: GivenLogging | null | undefined): LokiTarget | undefined {
  const endpoint = URL.parse(given?.endpoint ?? '');
  if (given === undefined || given === null || endpoint === null) return undefined;
  const { basic_auth: login } = given;
  return { endpoint, user: login?.user, password: login ? new Secret(login.password) : undefined };
}

function bootOrderOf(given: GivenPolicy['bmc_boot_order']): AgentPolicy['bmcBootOrder'] {
  return given === 'pxe' || given === 'disk' ? given : undefined;
}

function regExp(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text, 'u');
  } catch {
    return undefined;
  }
}
