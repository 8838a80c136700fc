import { runDaemon } from '@ingot/daemon';
import { bootServerConfig } from './config.ts';
import { runBootServer } from './run.ts';

await runDaemon({ config: bootServerConfig, start: runBootServer });
