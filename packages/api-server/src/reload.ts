import type { DaemonContext, Reloaded } from '@ingot/daemon';
import type { ApiServerConfig } from './config.ts';
import { readSuperUserPassword } from './machine/super-user-password.ts';

/** The settings that a reload changes, as they are now. */
export interface CurrentSettings {
  readonly superUserPassword: () => string | undefined;
  /** Takes what can be had without a restart. Rejects, with all as it was, when the password cannot be used. */
  readonly reload: (next: ApiServerConfig) => Promise<Reloaded>;
}

/** Of every daemon, which tells of them itself. */
const DAEMON_SETTINGS: ReadonlySet<string> = new Set(['metrics', 'logLevel']);
const TAKEN = 'superUserPasswordFile';

/** Reads the password of the start. Rejects as `readSuperUserPassword` does. */
export async function currentSettings({
  config: first,
  log,
  redactor,
}: Pick<DaemonContext<ApiServerConfig>, 'config' | 'log' | 'redactor'>): Promise<CurrentSettings> {
  const read = async (file: string | undefined): Promise<string | undefined> => {
    if (file === undefined) return undefined;
    const found = await readSuperUserPassword(file);
    redactor.add(found);
    return found;
  };
  let config = first;
  let password = await read(first.superUserPasswordFile);
  return {
    superUserPassword: () => password,
    async reload(next) {
      const fresh = await read(next.superUserPasswordFile);
      if (fresh !== password) {
        const words = fresh === undefined ? 'is not given out any more' : 'has changed: BMCs get it as machines boot';
        log.info({ event: 'super-user.password', given: fresh !== undefined }, `the password of superusers ${words}`);
      }
      password = fresh;
      const taken = next.superUserPasswordFile === config.superUserPasswordFile ? [] : [TAKEN];
      config = { ...config, superUserPasswordFile: next.superUserPasswordFile };
      return { taken, needsRestart: differences(config, next) };
    },
  };
}

function differences(running: ApiServerConfig, next: ApiServerConfig): string[] {
  const before = new Map(Object.entries(running));
  const after = new Map(Object.entries(next));
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !DAEMON_SETTINGS.has(name) && JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name)),
  );
}
