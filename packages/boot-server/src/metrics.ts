import type { Metrics } from '@ingot/daemon';

export type Service = 'dhcp' | 'dhcp6' | 'pxe' | 'tftp' | 'http';

/** Steps of a boot, in their order; also the `event` of the log line that goes with each. */
export type Stage =
  | 'dhcp.offer'
  | 'dhcp.ack'
  | 'dhcp.nak'
  | 'dhcp6.advertise'
  | 'dhcp6.reply'
  | 'pxe.ack'
  | 'tftp.start'
  | 'tftp.done'
  | 'tftp.failed'
  | 'http.script'
  | 'http.file'
  | 'http.booting'
  | 'config.given'
  | 'config.refused'
  | 'agent.up';

/** What the services count. */
export interface BootMetrics {
  /** Something that was asked for and not answered, or refused. `reason` is one of a small fixed set. */
  drop(service: Service, reason: string): void;
  /** A warning that was left out of the log, because its client had caused many. */
  quieted(service: Service): void;
  /** `count` of them at once, default 1. */
  stage(stage: Stage, count?: number): void;
  /** A file that went out whole. */
  transferred(kind: string, bytes: number, ms: number): void;
  /** A request that the image cache answered (`hit`) or not (`miss`); a download that worked (`fetched`) or not (`failed`). */
  imageCache(what: 'hit' | 'miss' | 'fetched' | 'failed'): void;
}

export interface MetricSources {
  /** Running leases by subnet. */
  readonly leases: () => ReadonlyMap<string, number>;
  readonly tftpTransfers: () => number;
  readonly artifactBytes: () => number;
}

export function bootMetrics(metrics: Metrics): BootMetrics {
  const drops = metrics.counter({
    name: 'ingot_boot_server_drops_total',
    help: 'Packets and requests that were not answered, or refused, by reason.',
    labels: ['service', 'reason'],
  });
  const quiet = metrics.counter({
    name: 'ingot_boot_server_quieted_total',
    help: 'Warnings that were left out of the log, because one client or all together had caused many.',
    labels: ['service'],
  });
  const stages = metrics.counter({
    name: 'ingot_boot_server_stages_total',
    help: 'Steps of boots that were taken.',
    labels: ['stage'],
  });
  const bytes = metrics.counter({
    name: 'ingot_boot_server_transferred_bytes_total',
    help: 'Bytes of files that went out whole.',
    labels: ['kind'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_boot_server_transfer_seconds',
    help: 'How long files took that went out whole.',
    labels: ['kind'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  });
  const images = metrics.counter({
    name: 'ingot_boot_server_image_cache_total',
    help: 'Requests that the image cache answered or not, and its downloads.',
    labels: ['what'],
  });
  return {
    imageCache: (what) => images.inc({ what }),
    quieted: (service) => quiet.inc({ service }),
    drop: (service, reason) => drops.inc({ service, reason }),
    stage: (stage, count) => stages.inc({ stage }, count),
    transferred: (kind, count, ms) => {
      bytes.inc({ kind }, count);
      seconds.observe({ kind }, ms / 1000);
    },
  };
}

/** Gauges that are read at each scrape. */
export function registerGauges(metrics: Metrics, sources: MetricSources): void {
  metrics.gauge({
    name: 'ingot_boot_server_leases',
    help: 'Running leases.',
    labels: ['subnet'],
    collect: (gauge) => {
      for (const [subnet, count] of sources.leases()) gauge.set({ subnet }, count);
    },
  });
  metrics.gauge({
    name: 'ingot_boot_server_tftp_transfers',
    help: 'TFTP transfers under way.',
    collect: (gauge) => gauge.set({}, sources.tftpTransfers()),
  });
  metrics.gauge({
    name: 'ingot_boot_server_artifact_bytes',
    help: 'Bytes of boot files held in memory.',
    collect: (gauge) => gauge.set({}, sources.artifactBytes()),
  });
}

/** Gauges of the image cache, where there is one. */
export function registerImageGauges(
  metrics: Metrics,
  cache: { readonly bytes: number; readonly images: number },
): void {
  metrics.gauge({
    name: 'ingot_boot_server_image_cache_bytes',
    help: 'Bytes of images on disk.',
    collect: (gauge) => gauge.set({}, cache.bytes),
  });
  metrics.gauge({
    name: 'ingot_boot_server_image_cache_images',
    help: 'Images on disk.',
    collect: (gauge) => gauge.set({}, cache.images),
  });
}
