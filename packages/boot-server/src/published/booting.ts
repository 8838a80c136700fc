import type { Logger } from '@ingot/daemon';
import type { BootMetrics } from '../metrics.ts';

/** A machine has everything and leaves the boot server: the last that is heard of this boot. */
export function noteBooting(
  components: {
    readonly log: Logger;
    /** Undefined: nothing is counted. */
    readonly metrics: BootMetrics | undefined;
    /** The machine that this NIC said to belong to. */
    readonly uuidOf: (mac: string) => string | undefined;
  },
  mac: string | undefined,
): void {
  const { log, metrics, uuidOf } = components;
  const uuid = mac === undefined ? undefined : uuidOf(mac);
  metrics?.stage('http.booting');
  log.info({ event: 'http.booting', mac, uuid }, 'the machine starts its kernel');
}

/** What it is answered: a comment, to whatever reads it. */
export const BOOTING_TEXT = '# Booting';
