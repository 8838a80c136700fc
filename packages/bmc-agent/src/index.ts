export { bmcAgentConfig, type BmcAgentConfig } from './config.ts';
export { BmcError, BmcErrorCode } from './errors.ts';
export { runBmcAgent } from './run.ts';
