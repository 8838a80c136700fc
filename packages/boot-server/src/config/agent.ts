import { z } from 'zod';
import { absolutePath } from './fields.ts';

/** What the discovery agent does, where there is a choice. */
export interface AgentPolicyConfig {
  readonly allocated: 'disk' | 'hold';
  readonly autoRebootHours: number;
  readonly bmcRequired: boolean;
  readonly bmcUser: string;
  readonly bmcBootOrder: 'leave' | 'pxe' | 'disk';
  readonly lldp: {
    readonly timeoutSeconds: number;
    readonly mtu?: number | undefined;
    readonly leafNames?: string | undefined;
  };
  readonly screen: 'vt' | 'all' | 'off';
  readonly sshDebug: boolean;
  readonly loki?:
    | { readonly endpoint: string; readonly user?: string | undefined; readonly passwordFile?: string | undefined }
    | undefined;
}

export const agentSchema: z.ZodType<AgentPolicyConfig> = z
  .strictObject({
    allocated: z
      .enum(['disk', 'hold'])
      .default('disk')
      .describe(
        'an allocated machine that boots from the network is started from its disk, once, or held where it is; its disks are left alone either way',
      ),
    autoRebootHours: z
      .int()
      .min(0)
      .max(720)
      .default(0)
      .describe('a machine that waits restarts after so many hours, up to a quarter later; 0: never'),
    bmcRequired: z
      .boolean()
      .default(false)
      .describe('a machine whose BMC cannot be set up does not wait; default: it does, and says what failed'),
    bmcUser: z
      .string()
      .regex(/^[\w.-]{0,16}$/, 'has up to 16 letters, digits, dots, dashes and underscores')
      .default('metal')
      .describe(
        'the user that the agent makes in the BMC, with a new password in each boot, and registers; empty: it touches no account there, the superuser neither',
      ),
    bmcBootOrder: z
      .enum(['leave', 'pxe', 'disk'])
      .default('leave')
      .describe('what the BMC has the machine boot from then on'),
    lldp: z
      .strictObject({
        timeoutSeconds: z
          .int()
          .min(5)
          .max(600)
          .default(40)
          .describe('how long to listen for two leaves; switches speak every 30 s by default'),
        mtu: z.int().min(1280).max(9216).optional().describe('MTU of the NICs while they listen; default: as they are'),
        leafNames: z
          .string()
          .min(1)
          .max(256)
          .refine(isPattern, { error: 'write a regular expression, as ^leaf[0-9]+$' })
          .optional()
          .describe('regular expression that names of leaves fit; other LLDP speakers do not count; default: any'),
      })
      .prefault({})
      .describe('how the machine finds out where it is cabled'),
    screen: z
      .enum(['vt', 'all', 'off'])
      .default('vt')
      .describe('where the status screen is drawn: on screens, on serial consoles too, or nowhere'),
    sshDebug: z
      .boolean()
      .default(false)
      .describe('every boot into the discovery image gets a key of its own, by which `ingot boot ssh` looks into it'),
    loki: z
      .strictObject({
        endpoint: z.url().describe('URL that log lines are pushed to'),
        user: z.string().optional().describe('user of basic authentication'),
        passwordFile: absolutePath().optional().describe('file with its password, for its owner only'),
      })
      .optional()
      .describe('where the agent logs to, besides its console'),
  })
  .prefault({})
  .describe('what the discovery agent does');

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
