#!/usr/bin/env node
import { runDaemon } from '@ingot/daemon';
import { switchAgentConfig } from './config.ts';
import { runSwitchAgent } from './run.ts';

await runDaemon({ config: switchAgentConfig, start: runSwitchAgent });
