import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { MethodAccess } from './method-access.ts';

/** What a handler knows about a call besides the request. */
export interface ServerContext<Caller> {
  /** Whoever `authenticate` found behind the bearer token. */
  readonly caller: Caller;
  /** Address of the other end: `10.0.0.7:41234`, or `unix`. */
  readonly peer: string;
  /** Aborted when the client cancels or is gone, its deadline has passed, or the server stops. */
  readonly signal: AbortSignal;
  /**
   * Value of the `idempotency-key` header: a client sends the same one when it asks again because no answer came. 1 to 128
   * printable ASCII characters.
   */
  readonly idempotencyKey: string | undefined;
  /** Names this call in the log and in the text of internal errors. */
  readonly requestId: string;
  /**
   * For streams, which outlive the check at their start: asks anew whether the token is good and covers this request.
   * Throws `Unauthenticated` or `PermissionDenied`. To be called before whatever is told next is taken from anywhere.
   */
  readonly checkAgain: () => Promise<void>;
}

/** Answers one request with one message or an `ApiError`. */
export type UnaryHandler<Input, OutputInit, Caller> = (
  request: Input,
  context: ServerContext<Caller>,
) => Promise<OutputInit> | OutputInit;

/** Answers one request with messages; the next one is asked for when the client has taken the last. */
export type StreamHandler<Input, OutputInit, Caller> = (
  request: Input,
  context: ServerContext<Caller>,
) => AsyncIterable<OutputInit>;

/**
 * Answers requests as they come with messages. The pipeline bounds how many requests there are and how long each may take
 * to come (`ServerLimits`); a handler that ends does not read the rest.
 */
export type BidiHandler<Input, OutputInit, Caller> = (
  requests: AsyncIterable<Input>,
  context: ServerContext<Caller>,
) => AsyncIterable<OutputInit>;

/** The handler that a method needs. Streams of requests with one answer do not exist in this contract. */
type HandlerOf<Method extends DescMethod, Caller> =
  Method extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<MessageShape<I>, MessageInitShape<O>, Caller>
    : Method extends DescMethodServerStreaming<infer I, infer O>
      ? StreamHandler<MessageShape<I>, MessageInitShape<O>, Caller>
      : Method extends DescMethodBiDiStreaming<infer I, infer O>
        ? BidiHandler<MessageShape<I>, MessageInitShape<O>, Caller>
        : never;

/** Handlers of a service. A method without one answers `Unimplemented`. */
export type ServiceHandlers<Service extends DescService, Caller> = {
  [Name in keyof Service['method']]?: HandlerOf<Service['method'][Name], Caller>;
};

/** A service and its handlers, ready for `createApiServer`. Made by `bindService`. */
export interface BoundService<Caller> {
  readonly service: DescService;
  readonly methods: readonly BoundMethod<Caller>[];
}

/** One method and its handler with the types of its messages forgotten. */
export interface BoundMethod<Caller> {
  readonly desc: DescMethod;
  readonly handler: AnyHandler<Caller> | undefined;
  /** Who may call it; default what the contract's options say. */
  readonly access?: MethodAccess;
}

/** A handler whose message types only its method descriptor knows. */
export type AnyHandler<Caller> =
  | { readonly kind: 'unary'; readonly call: UnaryHandler<Message, Record<string, unknown>, Caller> }
  | { readonly kind: 'stream'; readonly call: StreamHandler<Message, Record<string, unknown>, Caller> }
  | { readonly kind: 'bidi'; readonly call: BidiHandler<Message, Record<string, unknown>, Caller> };
