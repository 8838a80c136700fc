import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { callStream, callUnary, type CallOptions } from './calls.ts';
import { createChannel, type Channel, type ChannelOptions } from './channel.ts';

type CallOf<Method extends DescMethod> =
  Method extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : Method extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;

/** One function per method of the service, and `close`, which ends running calls. */
export type ApiClient<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: CallOf<Service['method'][Name]>;
} & { close(): void };

/**
 * A client of one service over gRPC. Give it a channel to share a connection (then `close` is the channel's), or options
 * for one of its own.
 */
export function createClient<Service extends DescService>(
  service: Service,
  channelOrOptions: Channel | ChannelOptions,
): ApiClient<Service> {
  const owned = !('grpc' in channelOrOptions);
  const channel = owned ? createChannel(channelOrOptions) : channelOrOptions;
  const close = (): void => {
    if (owned) channel.close();
  };
  const calls = service.methods.map((method): [string, unknown] => [
    method.localName,
    method.methodKind === 'unary'
      ? (request: Record<string, unknown>, options?: CallOptions) => callUnary(channel, method, request, options ?? {})
      : (request: Record<string, unknown>, options?: CallOptions) =>
          callStream(channel, method, request, options ?? {}),
  ]);
  // oxlint-disable-next-line no-unsafe-type-assertion -- built from the same descriptors that the type is derived from
  return Object.assign(Object.fromEntries(calls), { close }) as ApiClient<Service>;
}
