import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { Artifact } from '../artifacts/artifact.ts';
import type { BootMetrics } from '../metrics.ts';
import type { Request } from './request.ts';
import { sendArtifact } from './send-artifact.ts';

export interface DeliverComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
}

/** What goes to whom, for the log and the metrics. */
export interface Delivery {
  readonly uri: string;
  readonly kind: 'kernel' | 'initrd' | 'file' | 'ipxe' | 'image';
  readonly mac: string | undefined;
  readonly uuid: string | undefined;
}

/** Sends an artifact, or the part of it that is asked for, and says how that ended. Resolves then. */
export async function deliver(
  request: Request,
  artifact: Artifact,
  contentType: string,
  { clock, log, metrics }: DeliverComponents,
  delivery: Delivery,
): Promise<void> {
  const { uri, ...who } = delivery;
  const client = who.mac ?? 'a client';
  const startedAt = clock.monotonic();
  const { bytes, ended } = sendArtifact(request, artifact, contentType);
  if (bytes === 0) return;
  const end = await ended;
  const ms = Math.round(clock.monotonic() - startedAt);
  switch (end.kind) {
    case 'done':
      metrics.stage('http.file');
      metrics.transferred(who.kind, bytes, ms);
      log.info({ event: 'http.file', ...who, bytes, ms, sha256: artifact.sha256 }, `sent ${who.kind}`);
      return;
    case 'gone':
      metrics.drop('http', 'aborted');
      log.warn({ event: 'http.aborted', ...who, uri, ms }, `${client} left before the end of ${uri}`);
      return;
    case 'idle':
      metrics.drop('http', 'idle');
      log.warn({ event: 'http.aborted', ...who, uri, ms }, `${client} takes no more of ${uri}`);
      return;
    case 'failed':
      metrics.drop('http', 'internal');
      log.error({ event: 'http.aborted', ...who, uri, ms, err: end.error }, `${uri} could not be sent to the end`);
      return;
    default:
      return end satisfies never;
  }
}
