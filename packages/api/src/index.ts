/** `metalstack.api.v2`: entities and the services about them. */
export * as apiV2 from './api-v2.ts';
/** `metalstack.admin.v2`: what administrators do. */
export * as adminV2 from './admin-v2.ts';
/** `metalstack.infra.v2`: what agents and machines do. */
export * as infraV2 from './infra-v2.ts';
