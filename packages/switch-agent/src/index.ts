export { switchAgentConfig, type SwitchAgentConfig } from './config.ts';
export { SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
export { NAMING_SCHEMAS, type NamingSchema } from './naming.ts';
export { switchRelayConfig, type SwitchRelayConfig } from './relay/config.ts';
export { runSwitchRelay } from './relay/run.ts';
export { runSwitchAgent } from './run.ts';
