import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { AnyHandler, BoundMethod, BoundService, ServiceHandlers } from './handlers.ts';
import { methodAccess } from './method-access.ts';

const KINDS: Readonly<Partial<Record<DescMethod['methodKind'], AnyHandler<unknown>['kind']>>> = {
  unary: 'unary',
  server_streaming: 'stream',
  bidi_streaming: 'bidi',
};

/**
 * Puts a service and its handlers together. This file is the one place where message types are forgotten: descriptor and
 * handler stay side by side from here on, so that the transports need to know neither.
 */
export function bindService<Service extends DescService, Caller>(
  service: Service,
  handlers: ServiceHandlers<Service, Caller>,
): BoundService<Caller> {
  const byName: Readonly<Record<string, unknown>> = handlers;
  const methods = service.methods.map((desc): BoundMethod<Caller> => {
    const kind = KINDS[desc.methodKind];
    if (kind === undefined) {
      throw new TypeError(`${service.typeName}/${desc.name} is a ${desc.methodKind} method, which is not supported`);
    }
    const call = byName[desc.localName];
    if (call === undefined) return { desc, handler: undefined };
    // oxlint-disable-next-line no-unsafe-type-assertion -- see above: kind and call come from the same descriptor
    return { desc, handler: { kind, call } as AnyHandler<Caller> };
  });
  return { service, methods };
}

/** A service of gRPC itself, whose proto file has none of this contract's options: for anybody, and in no audit log. */
export function bindPublicService<Service extends DescService, Caller>(
  service: Service,
  handlers: ServiceHandlers<Service, Caller>,
): BoundService<Caller> {
  const { methods } = bindService(service, handlers);
  return {
    service,
    methods: methods.map((method) => ({
      ...method,
      access: { ...methodAccess(method.desc), visibility: 'public', audited: false },
    })),
  };
}
