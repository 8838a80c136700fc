/** `metalstack.api.v2`: entities and the services about them. */
export * as apiV2 from './api-v2.ts';
/** `metalstack.admin.v2`: what administrators do. */
export * as adminV2 from './admin-v2.ts';
/** `metalstack.infra.v2`: what agents and machines do. */
export * as infraV2 from './infra-v2.ts';
/** `ingot.admin.v1`: what upstream has no call for. */
export * as ingotAdminV1 from './ingot-admin-v1.ts';

export { ApiError, Code, codeName, type CodeName } from './errors.ts';
export { enumText } from './enum-text.ts';
export { methodAccess, methodPath, type MethodAccess } from './method-access.ts';
export { describeViolations, validate, type Violation } from './validate/validate.ts';

export { createClient, type ApiClient } from './client/create-client.ts';
export { createChannel, type Channel, type ChannelOptions } from './client/channel.ts';
export type { CallOptions } from './client/calls.ts';

export { createApiServer, type ApiServer, type ApiServerOptions, type TlsIdentity } from './server/api-server.ts';
export { Refusal, type OnRefusal } from './server/connections.ts';
export { bindService } from './bind-service.ts';
export { grpcHealthService } from './health/grpc-health-service.ts';
export { reflectionServices } from './reflection/reflection-services.ts';
export type { BoundService, ServerContext, ServiceHandlers, StreamHandler, UnaryHandler } from './handlers.ts';
export type { AccessQuestion, AuditRecord, CallRecord } from './server/pipeline.ts';
export { defaultServerLimits, type ServerLimits } from './server/limits.ts';

// What callers need to build and read messages, so that they agree with this package on one protobuf runtime.
export {
  clone,
  create,
  equals,
  fromBinary,
  fromJson,
  fromJsonString,
  toBinary,
  toJson,
  toJsonString,
  type DescEnum,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
export {
  durationFromMs,
  durationMs,
  timestampDate,
  timestampFromDate,
  timestampFromMs,
  timestampMs,
  type Duration,
  type Timestamp,
} from '@bufbuild/protobuf/wkt';
