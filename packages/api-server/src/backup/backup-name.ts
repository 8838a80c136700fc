const NAME = /^ingot-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.backup$/;

/** Names sort by time. */
export function backupName(now: number): string {
  return `ingot-${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}.backup`;
}

/** When a backup was made, milliseconds since the epoch; undefined for what is none. */
export function backupTime(name: string): number | undefined {
  const parts = NAME.exec(name)?.slice(1);
  if (parts === undefined) return undefined;
  const [year = '', month = '', day = '', hour = '', minute = '', second = '', ms = ''] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** Those of these names that are backups, oldest first. */
export function backupsAmong(names: readonly string[]): string[] {
  return names.filter((name) => backupTime(name) !== undefined).toSorted();
}

/** Clocks of servers may differ by so much. */
const SKEW_MS = 5 * 60_000;

/**
 * Those that were made by now, oldest first. One that is of the future was made when a clock was wrong: it says nothing of
 * when the next is due, and must not push newer ones out.
 */
export function backupsUntil(names: readonly string[], now: number): string[] {
  return backupsAmong(names).filter((name) => (backupTime(name) ?? 0) <= now + SKEW_MS);
}
