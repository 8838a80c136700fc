import * as z from 'zod/mini';
import { Secret } from '../secret.ts';
import { loggingSchema, lokiOf, policyOf, policySchema } from './agent-policy.ts';
import type { AgentPolicy, LokiTarget } from './agent-policy.ts';

/** What the boot server gives this machine. */
export interface AgentConfig {
  /** `https://host:port`. */
  readonly apiUrl: string;
  /** Bearer token for this machine only. */
  readonly token: Secret;
  /** PEM; what the API server's certificate is signed with. */
  readonly caCert: string;
  readonly partition: string;
  readonly ntpServers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly debug: boolean;
  /** Where the boot server wants to hear, once, that this agent runs; `undefined` when it does not. */
  readonly reportUrl?: URL;
  /** Where the next config is; `undefined` for boot servers that give theirs at the first address again. */
  readonly renewalUrl: Secret | undefined;
  readonly policy: AgentPolicy;
  readonly loki: LokiTarget | undefined;
}

export type ParsedConfig =
  | { readonly ok: true; readonly value: AgentConfig }
  | { readonly ok: false; readonly offset: number; readonly reason: string };

const strings = z.optional(z.nullable(z.array(z.string())));
const text = z.optional(z.nullable(z.string()));

const client = z.object({ metal_apiserver_url: text, metal_hammer_token: text, ca_cert: text });

/** Two generations of one format: the client's fields in an object of their own, or flat with longer names. */
const schema = z.object({
  client: z.optional(z.nullable(client)),
  metal_apiserver_url: text,
  metal_apiserver_token_for_hammer: text,
  ca_cert: text,
  partition: text,
  ntp_servers: strings,
  dns_servers: strings,
  debug: z.optional(z.nullable(z.boolean())),
  boot_report_url: text,
  renewal_url: text,
  agent: policySchema,
  logging: loggingSchema,
});

/** Unknown fields are ignored, absent lists are empty. The reason names what is missing, never the token. */
export function parseConfig(body: string): ParsedConfig {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, offset: 0, reason: 'the config is no JSON' };
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    return { ok: false, offset: 0, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
  }
  const given = result.data;
  const required = {
    'client.metal_apiserver_url': given.client?.metal_apiserver_url ?? given.metal_apiserver_url ?? '',
    'client.metal_hammer_token': given.client?.metal_hammer_token ?? given.metal_apiserver_token_for_hammer ?? '',
    'client.ca_cert': given.client?.ca_cert ?? given.ca_cert ?? '',
    partition: given.partition ?? '',
  };
  for (const [name, value] of Object.entries(required))
    if (value === '') return { ok: false, offset: 0, reason: `the config lacks ${name}` };
  const reportUrl = URL.parse(given.boot_report_url ?? '');
  const renewalUrl = URL.parse(given.renewal_url ?? '');
  return {
    ok: true,
    value: {
      apiUrl: required['client.metal_apiserver_url'],
      token: new Secret(required['client.metal_hammer_token']),
      caCert: required['client.ca_cert'],
      partition: required.partition,
      ntpServers: given.ntp_servers ?? [],
      dnsServers: given.dns_servers ?? [],
      debug: given.debug ?? false,
      ...(isHttp(reportUrl) ? { reportUrl } : {}),
      renewalUrl: isHttp(renewalUrl) ? new Secret(renewalUrl.href) : undefined,
      policy: policyOf(given.agent),
      loki: lokiOf(given.logging),
    },
  };
}

function isHttp(url: URL | null): url is URL {
  return url !== null && /^https?:$/.test(url.protocol);
}
