export { bootServerConfig, type BootServerConfig } from './config.ts';
export { runBootServer } from './run.ts';
export { startQuickBootServer } from './quick.ts';
export { simulateConfig } from './simulate/dry-run.ts';
export { startBootServer, type BootServer, type BootServerComponents } from './boot-server.ts';
export { lockDataDir } from './store/lock.ts';
export { BootServerError, BootServerErrorCode } from './errors.ts';
export type { BootAnswer, BootApi } from './api/boot-api.ts';
export type { TimelineEntry, Track } from './timeline/track.ts';
