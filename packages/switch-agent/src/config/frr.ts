import { z } from 'zod';
import type { ImageSetting } from '../frr/image.ts';
import type { StaticVrf } from '../frr/settings.ts';

/** What the agent is told about FRR. */
export interface FrrConfig {
  readonly enabled: boolean;
  readonly vtysh: readonly string[];
  readonly reload: readonly string[];
  readonly reloadUnit?: string | undefined;
  readonly reloadTimeoutSeconds: number;
  readonly queryTimeoutSeconds: number;
  readonly rollBack: boolean;
  readonly confFile: string;
  readonly confFolderOfVtysh: string;
  readonly includeBefore: string;
  readonly includeAfter: string;
  readonly staticVrfs: readonly StaticVrf[];
  readonly managementVrf: string;
  readonly ipv6Underlay: boolean;
  readonly fpm: ImageSetting;
  readonly snmp: ImageSetting;
}

// A program and its arguments; no shell reads them.
const command = (): z.ZodArray<z.ZodString> => z.array(z.string().min(1)).min(1);
const image = (): z.ZodEnum<{ auto: 'auto'; on: 'on'; off: 'off' }> => z.enum(['auto', 'on', 'off']);

const staticVrf = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, 'up to 15 letters, digits, "_", "." and "-"')
    .describe('as CONFIG_DB has it'),
  vni: z
    .int()
    .min(1)
    .max(2 ** 24 - 1)
    .optional()
    .describe('its L3 VNI'),
});

const IN_CONTAINER = ['docker', 'exec', 'bgp'];
// What hangs in the container has to be ended there: killing `docker exec` ends docker exec.
const WITHIN_115_S = ['timeout', '--signal=KILL', '115'];

export const frrField: z.ZodType<FrrConfig> = z
  .object({
    enabled: z.boolean().default(true).describe('false: FRR is left alone, and its BGP sessions are not reported'),
    vtysh: command()
      .default([...IN_CONTAINER, 'vtysh'])
      .describe('how vtysh is called'),
    reload: command()
      .default([
        ...IN_CONTAINER,
        ...WITHIN_115_S,
        '/usr/lib/frr/frr-reload.py',
        '--reload',
        '--stdout',
        '/etc/frr/frr.conf',
      ])
      .describe('has FRR run confFile; not used with reloadUnit'),
    reloadUnit: z.string().min(1).optional().describe('a oneshot unit of systemd that does so instead'),
    reloadTimeoutSeconds: z.number().min(1).max(285).default(120).describe('a reload that takes longer is ended'),
    queryTimeoutSeconds: z.number().min(1).max(60).default(15).describe('how long vtysh may take to answer'),
    rollBack: z
      .boolean()
      .default(true)
      .describe(
        'false: lines that FRR does not show are reported only; for an FRR that prints lines in words of its own',
      ),
    confFile: z.string().default('/etc/sonic/frr/frr.conf').describe('what FRR reads when it starts'),
    confFolderOfVtysh: z.string().default('/etc/frr').describe('the folder of confFile where vtysh runs'),
    includeBefore: z
      .string()
      .default('/etc/ingot/frr.before.conf')
      .describe('lines that follow the head of confFile; may be missing'),
    includeAfter: z
      .string()
      .default('/etc/ingot/frr.after.conf')
      .describe('lines at the end of confFile; may be missing'),
    staticVrfs: z.array(staticVrf).default([]).describe('VRFs that the API knows nothing of'),
    managementVrf: z.string().default('mgmt').describe("the VRF of the management routes' next hop"),
    ipv6Underlay: z.boolean().default(false).describe('whether IPv6 routes of firewalls go to the spines as well'),
    fpm: image().default('auto').describe("tell zebra where SONiC's fpmsyncd listens; auto: if it has such a module"),
    snmp: image().default('auto').describe('connect to the SNMP agent; auto: if the daemons have the module'),
  })
  .prefault({});
