import { systemClock } from '@ingot/net';
import type { FabricModel } from '../../src/fabric-model.ts';
import { createApplier } from '../../src/frr/applier.ts';
import { commandRunner } from '../../src/frr/command.ts';
import { confFiles } from '../../src/frr/conf-files.ts';
import { createReload } from '../../src/frr/reloader.ts';
import { renderConf } from '../../src/frr/render.ts';
import type { RenderSettings } from '../../src/frr/settings.ts';
import { createVtysh } from '../../src/frr/vtysh.ts';

/** Applies one configuration in a process of its own, so that a test can kill it. */
interface Task {
  readonly confFile: string;
  readonly folder: string;
  readonly vtysh: readonly string[];
  readonly reload: readonly string[];
  readonly model: FabricModel;
  readonly settings: RenderSettings;
}

const task: Task = JSON.parse(process.argv[2] ?? '');
const run = commandRunner(systemClock);
const vtysh = createVtysh({ argv: task.vtysh, run, timeoutMs: 10_000 });
const apply = createApplier({
  files: confFiles(task.confFile, task.folder),
  vtysh,
  reload: createReload({ method: { command: task.reload }, run, timeoutMs: 30_000 }),
  rollBack: true,
  clock: systemClock,
});
const { signal } = new AbortController();
const running = await vtysh.running(signal);
if (!running.ok) throw new Error(running.reason);
await apply(renderConf(task.model, task.settings), running, signal);
