import { z } from 'zod';

/** A machine as it would ask; what is not given is what such a machine sends as a rule. */
export interface SimulateRequest {
  mac: string;
  /** Option 93. */
  arch: number;
  uuid?: string | undefined;
  serial?: string | undefined;
  giaddr?: string | undefined;
  /** Own address on the link that it is on, where it asks through no relay. */
  link?: string | undefined;
  /** Option 12. */
  hostname?: string | undefined;
  circuitId?: string | undefined;
  remoteId?: string | undefined;
  /** Sub-option 5 of option 82. */
  linkSelection?: string | undefined;
  /** Sub-option 11. */
  serverIdOverride?: string | undefined;
  vendorClass?: string | undefined;
  userClass?: string | undefined;
  /** Names of `IpxeFeature`, in any case. */
  features?: string[] | undefined;
  /** `all` goes on as the machine would, up to its script. */
  phase: 'all' | 'dhcp' | 'pxe' | 'script';
}

export interface SimulatedOption {
  /** Of an option; null for a field of the header. */
  code: number | null;
  name: string;
  value: string;
}

/** One question of the machine, and what it would be told. */
export interface SimulatedStep {
  /** `DHCPDISCOVER by the firmware`. */
  asks: string;
  /** `DHCPOFFER to 10.0.1.1:67`; `nothing: not-booting`. */
  told: string;
  options: SimulatedOption[];
  /** A script as text; empty for other steps. */
  text: string;
  /** What decided it, in the order in which it was decided. */
  why: string[];
}

export interface SimulateAnswer {
  steps: SimulatedStep[];
}

const short = (): z.ZodOptional<z.ZodString> => z.string().max(255).optional();

export const simulateRequestWire: z.ZodType<SimulateRequest> = z.strictObject({
  mac: z.string().max(17),
  arch: z.int().min(0).max(65_535),
  uuid: short(),
  serial: short(),
  giaddr: short(),
  link: short(),
  hostname: short(),
  circuitId: short(),
  remoteId: short(),
  linkSelection: short(),
  serverIdOverride: short(),
  vendorClass: short(),
  userClass: short(),
  features: z.array(z.string().max(32)).max(32).optional(),
  phase: z.enum(['all', 'dhcp', 'pxe', 'script']),
});

export const simulateAnswerWire: z.ZodType<SimulateAnswer> = z.object({
  steps: z.array(
    z.object({
      asks: z.string(),
      told: z.string(),
      options: z.array(z.object({ code: z.int().nullable(), name: z.string(), value: z.string() })),
      text: z.string(),
      why: z.array(z.string()),
    }),
  ),
});
