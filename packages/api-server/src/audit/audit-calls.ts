import { apiV2, toJson, type AuditRecord, type DescMethod } from '@ingot/api';
import type { Logger } from '@ingot/daemon';
import { subjectsOf } from '../auth/authorize.ts';
import type { Caller } from '../auth/caller.ts';
import type { Stores } from '../store/stores.ts';

/** Fields whose values are nobody's to read: passwords, keys and secrets of every message of the contract. */
const SECRET = /password|secret|auth_?key|private_?key/i;
/** Longer requests are cut: what was asked shows in the beginning. */
const MAX_BODY = 8192;
/** Of what a refused request says it is about: nobody has checked that. */
const MAX_SUBJECT = 128;

/**
 * Writes calls down that change something or show a secret. What only reads, the heartbeats of agents and public methods
 * are left out: they would bury the rest.
 */
export function createAudit(
  stores: Stores,
  methods: ReadonlyMap<string, DescMethod>,
  log: Logger,
): (record: AuditRecord<Caller>) => Promise<void> {
  const write = async ({ requestId, method, request, caller, peer, outcome }: AuditRecord<Caller>): Promise<void> => {
    const desc = methods.get(method);
    const subjects = subjectsOf(method, request);
    const [project, tenant] = [subjects.project?.slice(0, MAX_SUBJECT), subjects.tenant?.slice(0, MAX_SUBJECT)];
    const user = caller?.kind === 'token' ? caller.token.user : '';
    await stores.audit.add({
      uuid: auditUuid(requestId),
      phase: outcome === 'started' ? apiV2.AuditPhase.REQUEST : apiV2.AuditPhase.RESPONSE,
      user,
      tenant: tenant ?? (project === undefined ? '' : ((await stores.projects.get(project))?.value.tenant ?? '')),
      project: project ?? '',
      method,
      sourceIp: hostOf(peer),
      resultCode: outcome === 'started' ? undefined : outcome === 'ok' ? 0 : outcome,
      body:
        desc === undefined || outcome !== 'started'
          ? ''
          : withoutSecrets(toJson(desc.input, request)).slice(0, MAX_BODY),
    });
  };
  return async (record) => {
    if (isRead(record.method)) return;
    try {
      await write(record);
    } catch (error) {
      const { requestId, method, outcome } = record;
      log.warn({ event: 'audit.lost', requestId, method, outcome, err: error }, 'a call is not in the audit as it was');
      throw error;
    }
  };
}

/** Methods that change nothing; reading a password of a console is a deed. */
function isRead(path: string): boolean {
  return /\/(?:Get|List|Latest|Issues|Capacity|ConnectedMachines|ListBMC|ListBaseNetworks|ListExternalMembers|Usage|Match|Try|Queues|ListNodes|InvitesList|InviteGet|TokenScopedList)$/.test(
    path,
  );
}

function withoutSecrets(json: unknown): string {
  return JSON.stringify(json, (key, value: unknown) => (SECRET.test(key) && typeof value === 'string' ? '***' : value));
}

/** The address without its port; as it is for a unix socket. */
function hostOf(peer: string): string {
  return /^\[?([0-9a-f:.]+?)\]?:\d+$/i.exec(peer)?.[1] ?? peer;
}

/** The request's number as a UUID of version 8 (RFC 9562, section 5.8): whoever has a line of the log finds it. */
export function auditUuid(requestId: string): string {
  const id = requestId.padEnd(16, '0');
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(12, 15)}-8${id.slice(15, 16)}00-000000000000`;
}
