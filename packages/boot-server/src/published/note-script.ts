import type { Logger } from '@ingot/daemon';
import type { ScriptAnswer } from '../decide/boot-issuer.ts';
import type { BootMetrics } from '../metrics.ts';

/**
 * A boot loader is given its script: one step of the boot, and a line in the log, without the nonce that is in it.
 * `file`: the name that it asked for, where that is no script of iPXE's.
 */
export function noteScript(
  { log, metrics }: { readonly log: Logger; readonly metrics: BootMetrics | undefined },
  mac: string,
  { plan, uuid }: Extract<ScriptAnswer, { readonly kind: 'steps' }>,
  file?: string,
): void {
  metrics?.stage('http.script');
  log.info(
    {
      event: 'http.script',
      mac,
      uuid,
      plan: plan.kind,
      origin: plan.origin,
      ...(file === undefined ? {} : { file }),
      ...(plan.kind === 'kernel' ? { kernel: plan.kernel, wantsConfig: plan.wantsConfig } : {}),
    },
    'gave the boot script',
  );
}
