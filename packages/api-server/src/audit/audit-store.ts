import { apiV2, create, timestampFromMs, timestampMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Row, Session, SqlValue } from '../store/database.ts';
import { number, optionalNumber, text } from '../store/row.ts';

/** One line of the audit log. */
export interface AuditLine {
  /** The request's; its start and its end have the same. */
  readonly uuid: string;
  readonly phase: apiV2.AuditPhase;
  readonly user: string;
  /** Empty: the call is about none. */
  readonly tenant: string;
  readonly project: string;
  readonly method: string;
  readonly sourceIp: string;
  /** Status code of gRPC, 0 for success; in the response phase only. */
  readonly resultCode: number | undefined;
  /** JSON without secrets. */
  readonly body: string;
}

/** Who did what. Lines are only added, and forgotten when they are old. */
export interface AuditStore {
  add(line: AuditLine): Promise<void>;
  /** Newest first, at most `limit` of the query, 100 unless it says otherwise. */
  list(query: apiV2.AuditQuery | undefined, ofTenant?: string): Promise<apiV2.AuditTrace[]>;
  get(uuid: string, phase: apiV2.AuditPhase | undefined, ofTenant?: string): Promise<apiV2.AuditTrace | undefined>;
  sweep(): Promise<void>;
}

/** How long it is known who did what. */
const KEPT_MS = 90 * 24 * 60 * 60 * 1000;
const DEFAULT_LINES = 100;

export function createAuditStore(session: Session, clock: Clock): AuditStore {
  return {
    async add({ uuid, phase, user, tenant, project, method, sourceIp, resultCode, body }) {
      await session.run(
        `INSERT INTO audit (uuid, phase, at, caller, tenant, project, method, source_ip, result_code, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        uuid,
        phase,
        clock.now(),
        user,
        tenant,
        project,
        method,
        sourceIp,
        resultCode ?? null,
        body,
      );
    },
    async list(query, ofTenant) {
      const terms: [string, SqlValue][] = [];
      const is = (column: string, value: SqlValue | undefined): void => {
        if (value !== undefined) terms.push([`${column} = ?`, value]);
      };
      is('tenant', ofTenant);
      is('uuid', query?.uuid);
      is('caller', query?.user);
      is('project', query?.project);
      is('method', query?.method);
      is('source_ip', query?.sourceIp);
      is('result_code', query?.resultCode);
      is('phase', query?.phase);
      if (query?.from !== undefined) terms.push(['at >= ?', timestampMs(query.from)]);
      if (query?.to !== undefined) terms.push(['at <= ?', timestampMs(query.to)]);
      if (query?.body !== undefined)
        terms.push([`body LIKE ? ESCAPE '\\'`, `%${query.body.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`]);
      const where = terms.length === 0 ? '' : ` WHERE ${terms.map(([term]) => term).join(' AND ')}`;
      const rows = await session.all(
        `SELECT * FROM audit${where} ORDER BY sequence DESC LIMIT ?`,
        ...terms.map(([, value]) => value),
        query?.limit ?? DEFAULT_LINES,
      );
      return rows.map(toTrace);
    },
    async get(uuid, phase, ofTenant) {
      const rows = await session.all('SELECT * FROM audit WHERE uuid = ? ORDER BY sequence DESC', uuid);
      return rows
        .map(toTrace)
        .find(
          (trace) =>
            (phase === undefined || trace.phase === phase) && (ofTenant === undefined || trace.tenant === ofTenant),
        );
    },
    async sweep() {
      await session.run('DELETE FROM audit WHERE at < ?', clock.now() - KEPT_MS);
    },
  };
}

function toTrace(row: Row): apiV2.AuditTrace {
  const resultCode = optionalNumber(row, 'result_code');
  const project = text(row, 'project');
  return create(apiV2.AuditTraceSchema, {
    uuid: text(row, 'uuid'),
    timestamp: timestampFromMs(number(row, 'at')),
    user: text(row, 'caller'),
    tenant: text(row, 'tenant'),
    method: text(row, 'method'),
    sourceIp: text(row, 'source_ip'),
    phase: number(row, 'phase') === apiV2.AuditPhase.REQUEST ? apiV2.AuditPhase.REQUEST : apiV2.AuditPhase.RESPONSE,
    body: text(row, 'body'),
    ...(project === '' ? {} : { project }),
    ...(resultCode === undefined ? {} : { resultCode }),
  });
}
