import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder like /sys/class/net. */
export interface TestSysfs extends AsyncDisposable {
  readonly path: string;
  /** Makes or changes a netdev; an attribute that is absent cannot be read, as the kernel does it. */
  netdev(name: string, attributes: { readonly operstate?: string; readonly carrier?: string }): Promise<void>;
  remove(name: string): Promise<void>;
}

export async function createSysfs(): Promise<TestSysfs> {
  const path = await mkdtemp(join(tmpdir(), 'ingot-sysfs-'));
  const remove = (name: string): Promise<void> => rm(join(path, name), { recursive: true, force: true });
  return {
    path,
    netdev: async (name, attributes) => {
      await remove(name);
      await mkdir(join(path, name));
      for (const [attribute, value] of Object.entries(attributes)) {
        await writeFile(join(path, name, attribute), `${value}\n`);
      }
    },
    remove,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
