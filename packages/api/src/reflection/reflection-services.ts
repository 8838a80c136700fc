import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { bindPublicService } from '../bind-service.ts';
import * as v1 from '../gen/grpc/reflection/v1/reflection_pb.ts';
import * as v1alpha from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { BoundService } from '../handlers.ts';
import { answerReflection } from './answer.ts';
import { createDescriptorIndex } from './descriptor-index.ts';

/**
 * `grpc.reflection.v1` and `v1alpha`: clients such as grpcurl call these services without their proto files.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 * @param services All that are served besides.
 */
export function reflectionServices<Caller>(services: readonly BoundService<Caller>[]): BoundService<Caller>[] {
  const index = createDescriptorIndex([
    ...services.map(({ service }) => service),
    v1.ServerReflection,
    v1alpha.ServerReflection,
  ]);
  return [
    bindPublicService<typeof v1.ServerReflection, Caller>(v1.ServerReflection, {
      async *serverReflectionInfo(requests) {
        const sent = new Set<string>();
        for await (const request of requests) yield answerReflection(index, request, sent);
      },
    }),
    bindPublicService<typeof v1alpha.ServerReflection, Caller>(v1alpha.ServerReflection, {
      // The same messages under an older name: only the package differs, which is not on the wire.
      async *serverReflectionInfo(requests) {
        const sent = new Set<string>();
        for await (const request of requests) {
          const bytes = toBinary(v1alpha.ServerReflectionRequestSchema, request);
          const response = answerReflection(index, fromBinary(v1.ServerReflectionRequestSchema, bytes), sent);
          yield fromBinary(
            v1alpha.ServerReflectionResponseSchema,
            toBinary(v1.ServerReflectionResponseSchema, response),
          );
        }
      },
    }),
  ];
}
