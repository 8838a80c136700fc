import { createHash } from 'node:crypto';
import type { BootPlan } from './boot-plan.ts';
import { replaceFileMarks } from './boot-plan.ts';

/** A file of a plan: machines know it by an opaque name. */
export interface BootFile {
  readonly uri: string;
  /** 64 hex digits that it must have, where the plan says so. */
  readonly sha256: string | undefined;
}

/** The names under which files of plans are served; only these are. */
export interface BootFiles {
  /** The same after a restart, and on every server that got the same plan. */
  nameOf(uri: string, sha256?: string): string;
  find(name: string): BootFile | undefined;
  /** Makes the files of a plan known, those of its menu entries too. */
  learn(plan: BootPlan): void;
}

/** A plan has a few files, and most machines share them; those unasked for the longest go. */
const MAX_NAMES = 16_384;

export function bootFiles(): BootFiles {
  const names = new Map<string, BootFile>();
  const nameOf = (uri: string, sha256?: string): string => {
    const name = createHash('sha256')
      .update(sha256 === undefined ? uri : `${uri} ${sha256}`)
      .digest('hex')
      .slice(0, 32);
    names.delete(name);
    names.set(name, { uri, sha256 });
    for (const oldest of names.keys()) {
      if (names.size <= MAX_NAMES) break;
      names.delete(oldest);
    }
    return name;
  };
  const learn = (plan: BootPlan): void => {
    if (plan.kind === 'menu') for (const { plan: entry } of plan.menu.entries) learn(entry);
    if (plan.kind !== 'kernel') return;
    for (const uri of [plan.kernel, ...plan.initRamDisks]) nameOf(uri, plan.sha256?.[uri]);
    replaceFileMarks(plan.cmdline, (uri) => nameOf(uri, plan.sha256?.[uri]));
  };
  return { nameOf, find: (name) => names.get(name), learn };
}
