import type { Logger, Metrics } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import type { FrrConfig } from '../config/frr.ts';
import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import type { SonicDb } from '../sonic-db.ts';
import { commandRunner } from './command.ts';
import { confFiles } from './conf-files.ts';
import { createFrr, type Frr } from './frr.ts';
import { routingModeProblem } from './image.ts';
import { createFrrMetrics } from './metrics.ts';
import { createReload } from './reloader.ts';
import { createVtysh } from './vtysh.ts';

export interface FrrSurroundings {
  readonly managementInterface: string;
  /** How long a cycle of the reconciler may take, milliseconds. */
  readonly cycleMs: number;
  readonly osVersion: string;
  readonly configDb: SonicDb;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

// What a cycle does beside one reload and one that takes it back.
const REST_OF_CYCLE_MS = 30_000;

/** FRR as the configuration describes it. Throws SwitchAgentError `SWITCH_CONFIG`. */
export function frrOf(config: FrrConfig, surroundings: FrrSurroundings): Frr {
  const { clock, configDb, osVersion } = surroundings;
  const reloadMs = config.reloadTimeoutSeconds * 1000;
  if (surroundings.cycleMs < 2 * reloadMs + REST_OF_CYCLE_MS) {
    const seconds = (2 * reloadMs + REST_OF_CYCLE_MS) / 1000;
    throw new SwitchAgentError(
      SwitchAgentErrorCode.Config,
      `cycleTimeoutSeconds leaves no time to take back a reload that hangs; set it to ${seconds} or more, or frr.reloadTimeoutSeconds to less`,
    );
  }
  const run = commandRunner(clock);
  return createFrr({
    files: confFiles(config.confFile, config.confFolderOfVtysh),
    vtysh: createVtysh({ argv: config.vtysh, run, timeoutMs: config.queryTimeoutSeconds * 1000 }),
    reload: createReload({
      method: config.reloadUnit === undefined ? { command: config.reload } : { unit: config.reloadUnit },
      run,
      timeoutMs: reloadMs,
    }),
    settings: {
      managementInterface: surroundings.managementInterface,
      managementVrf: config.managementVrf,
      ipv6Underlay: config.ipv6Underlay,
      staticVrfs: config.staticVrfs,
    },
    rollBack: config.rollBack,
    features: { fpm: config.fpm, snmp: config.snmp },
    include: { before: config.includeBefore, after: config.includeAfter },
    lostAtStart: async () => {
      try {
        const metadata = (await configDb.rows('DEVICE_METADATA')).get('localhost');
        return metadata && routingModeProblem(metadata['docker_routing_config_mode'], osVersion);
      } catch {
        // Redis is not what went wrong here, and somebody else says so when it is.
        return undefined;
      }
    },
    clock,
    metrics: createFrrMetrics(surroundings.metrics),
    log: surroundings.log,
  });
}
