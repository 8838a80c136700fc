import type { DescService } from '@bufbuild/protobuf';
import type { AnyHandler, BoundMethod, BoundService, ServiceHandlers } from './handlers.ts';

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
    if (desc.methodKind !== 'unary' && desc.methodKind !== 'server_streaming') {
      throw new TypeError(`${service.typeName}/${desc.name} is a ${desc.methodKind} method, which is not supported`);
    }
    const call = byName[desc.localName];
    if (call === undefined) return { desc, handler: undefined };
    const kind = desc.methodKind === 'unary' ? 'unary' : 'stream';
    // oxlint-disable-next-line no-unsafe-type-assertion -- see above: kind and call come from the same descriptor
    return { desc, handler: { kind, call } as AnyHandler<Caller> };
  });
  return { service, methods };
}
