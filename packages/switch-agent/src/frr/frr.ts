import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import type { FabricModel } from '../fabric-model.ts';
import type { FrrOutcome, FrrPort, FrrState } from '../reconcile/frr-port.ts';
import { createApplier } from './applier.ts';
import { compareConf, defaultNeighbors } from './compare.ts';
import type { ConfFiles } from './conf-files.ts';
import { imageFeatures, type ImageFeatures, type ImageSetting } from './image.ts';
import { readIncludeFile } from './include-file.ts';
import type { FrrMetrics } from './metrics.ts';
import { parseBgpNeighbors, type BgpNeighbors } from './neighbors.ts';
import type { Reload } from './reloader.ts';
import { renderConf, type RenderedConf } from './render.ts';
import type { RenderSettings } from './settings.ts';
import type { RunningFrr, Vtysh } from './vtysh.ts';

export interface FrrOptions {
  readonly files: ConfFiles;
  readonly vtysh: Vtysh;
  readonly reload: Reload;
  readonly settings: Omit<RenderSettings, keyof ImageFeatures | 'before' | 'after'>;
  readonly features: Readonly<Record<keyof ImageFeatures, ImageSetting>>;
  /** Paths of the operator's include files; either may be missing. */
  readonly include: { readonly before: string; readonly after: string };
  /** Why SONiC will not keep `frr.conf`, asked for when something goes wrong. Never rejects. */
  readonly lostAtStart?: (() => Promise<string | undefined>) | undefined;
  /** False: what FRR does not show of a file is reported, and nothing is rolled back for it. */
  readonly rollBack: boolean;
  readonly clock: Clock;
  readonly metrics: FrrMetrics;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** FRR, for the reconciler and for the heartbeat. */
export interface Frr extends FrrPort {
  preview(model: FabricModel, signal: AbortSignal): Promise<readonly string[]>;
  /** Rejects only with the reason of the signal. */
  neighbors(signal: AbortSignal): Promise<BgpNeighbors>;
}

export function createFrr(options: FrrOptions): Frr {
  const { files, vtysh, settings, metrics, log } = options;
  const applier = createApplier(options);
  let lastSeen: ReadonlySet<string> | undefined;

  const wantedConf = async (model: FabricModel, running: RunningFrr | undefined): Promise<RenderedConf> => {
    const [before, after] = await Promise.all([
      readIncludeFile(options.include.before),
      readIncludeFile(options.include.after),
    ]);
    const features = imageFeatures(options.features, running, await files.current());
    return renderConf(model, { ...settings, ...features, before, after });
  };

  return {
    observe: async (signal): Promise<FrrState> => {
      const answer = await vtysh.running(signal);
      if (answer.ok) {
        const running = answer.daemons.has('bgpd');
        lastSeen = running ? defaultNeighbors(answer.conf) : new Set();
        return { running, neighbors: lastSeen };
      }
      if (!answer.hung) return { running: false, neighbors: new Set() };
      // It may only be busy. Until it says otherwise it has the neighbours that it had.
      return { running: true, neighbors: lastSeen ?? defaultNeighbors((await files.current().catch(() => '')) ?? '') };
    },

    apply: async (model, signal): Promise<FrrOutcome> => {
      const started = options.clock.monotonic();
      const running = await vtysh.running(signal);
      if (!running.ok) {
        metrics.applied('unreachable', options.clock.monotonic() - started);
        return { changed: false, problems: [running.reason] };
      }
      let wanted: RenderedConf;
      try {
        wanted = await wantedConf(model, running);
      } catch (error) {
        signal.throwIfAborted();
        metrics.applied('refused', options.clock.monotonic() - started);
        return { changed: false, problems: [reasonOf(error)] };
      }
      const { result, problems, crashed } = await applier(wanted, running, signal);
      metrics.applied(result, options.clock.monotonic() - started);
      if (crashed) metrics.crashed();
      const lost = result === 'applied' || result === 'unchanged' ? undefined : await options.lostAtStart?.();
      if (result === 'applied') log.info({ problems }, 'FRR runs the new configuration');
      if (result === 'rolled-back' || result === 'broken' || crashed) log.warn({ result, problems, crashed }, 'FRR');
      return {
        changed: result === 'applied' || result === 'rolled-back',
        problems: lost === undefined ? problems : [...problems, lost],
      };
    },

    preview: async (model, signal) => {
      const running = await vtysh.running(signal);
      if (!running.ok) return [`! ${running.reason}`];
      let wanted: RenderedConf;
      try {
        wanted = await wantedConf(model, running);
      } catch (error) {
        signal.throwIfAborted();
        return [`! ${reasonOf(error)}`];
      }
      const { missing, left } = compareConf(wanted.text, running.conf);
      const words = (sign: string, { path, text }: (typeof missing)[number]): string =>
        `${sign} ${[...path, text].join(' / ')}`;
      return [...left.map((line) => words('-', line)), ...missing.map((line) => words('+', line))];
    },

    neighbors: async (signal) => {
      const answer = await vtysh.neighbors(signal);
      const read: BgpNeighbors = answer.ok ? parseBgpNeighbors(answer.json) : answer;
      metrics.neighbors(read.ok ? read.neighbors : []);
      return read;
    },
  };
}
