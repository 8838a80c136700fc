export { apiServerConfig, type ApiServerConfig, type PartitionConfig } from './config.ts';
export { runApiServer } from './run-api-server.ts';
export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
export { ApiServerError, ApiServerErrorCode } from './errors.ts';
export { version } from './version.ts';
