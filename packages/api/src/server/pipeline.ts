import { create, type DescMethod, type Message } from '@bufbuild/protobuf';
import type { Clock, Entropy } from '@ingot/net';
import { ApiError, Code, type CodeName } from '../errors.ts';
import type { BoundMethod, ServerContext } from '../handlers.ts';
import { methodAccess, type MethodAccess } from '../method-access.ts';
import { describeViolations, validate } from '../validate/validate.ts';
import { bearerOf, idempotencyKeyOf } from './call-headers.ts';
import { boundedRequests, type RequestBounds } from './bounded-requests.ts';

/** A call before anybody knows who makes it. */
export interface IncomingCall {
  /** Value of the `authorization` header, if there is one. */
  readonly authorization: string | undefined;
  /** Value of the `idempotency-key` header, if there is one. */
  readonly idempotencyKey: string | undefined;
  readonly peer: string;
  readonly signal: AbortSignal;
  /** What `PipelineMethod.letIn` answered, where that was asked before. */
  readonly admission?: Admission | undefined;
}

/** Stands for a caller who was let in, good for one call. */
export interface Admission {
  readonly requestId: string;
}

/** Unpacks the request of a call; throws an `ApiError` for garbage. */
export type ReadRequest = () => Message;

/** What is to be known about a call when it has ended, for logs and metrics. Holds no request content. */
export interface CallRecord {
  readonly method: string;
  readonly peer: string;
  readonly requestId: string;
  readonly durationMs: number;
  readonly code: CodeName | 'Ok';
  /** What went wrong; its cause may have more. */
  readonly error?: ApiError;
}

/** An audited call: first when it may be done, then when it was done or refused. */
export interface AuditRecord<Caller> {
  readonly requestId: string;
  readonly method: string;
  /** Empty where it was refused unread. */
  readonly request: Message;
  /** Undefined where the token was bad. */
  readonly caller: Caller | undefined;
  readonly peer: string;
  /** `started`: before the handler runs; `ok`, or how it failed. */
  readonly outcome: 'started' | 'ok' | Code;
}

/** A question to `authorize`. */
export interface AccessQuestion<Caller> {
  readonly access: MethodAccess;
  readonly method: DescMethod;
  /** Valid according to the contract's field rules. */
  readonly request: Message;
  readonly caller: Caller;
}

export interface PipelineOptions<Caller> {
  /**
   * Finds out who calls. `bearer` is the token without `Bearer `, undefined where there is none; throws an `ApiError`
   * (`Unauthenticated`) for a bad one. No token is not an error by itself: public methods need none.
   */
  readonly authenticate: (bearer: string | undefined) => Promise<Caller> | Caller;
  /**
   * Throws an `ApiError` for whoever calls too often; asked once for each call, whatever it is about. `caller` is undefined
   * where the token was bad. What this refuses is not written down: it would be as many lines as there are calls.
   */
  readonly admit?: (caller: Caller | undefined, peer: string) => void;
  /**
   * Throws an `ApiError` for whoever may not call this, whatever the request says. Asked before the request is unpacked: a
   * stranger's is not worth the work.
   */
  readonly refuseStrangers?: (question: Pick<AccessQuestion<Caller>, 'access' | 'caller'>) => void;
  /** Throws an `ApiError` if the caller may not do this. */
  readonly authorize: (question: AccessQuestion<Caller>) => Promise<void> | void;
  /**
   * Writes down who did what. Awaited before the handler runs: what cannot be written down is not done. What becomes of
   * it is written when it cannot be undone any more: whoever cannot has to say so himself. Streams and methods that the
   * contract excludes are left out.
   */
  readonly audit?: (record: AuditRecord<Caller>) => Promise<void>;
  /** Told about every call that has ended. */
  readonly onCall?: (record: CallRecord) => void;
  readonly bounds: RequestBounds;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** What is known of a call as it is let in. */
interface Seen<Caller> {
  caller?: Caller;
  isAdmitted?: boolean;
  request?: Message;
}

/** One method as the transports see it: authentication, validation, authorisation and errors are already around it. */
export interface PipelineMethod {
  readonly desc: DescMethod;
  readonly access: MethodAccess;
  /** Lets a caller in, or throws an `ApiError`; for transports that can ask before they read the request. */
  readonly letIn: (call: IncomingCall) => Promise<Admission>;
  /** Tells of a call whose request the transport could not read. */
  readonly unreadable: (call: IncomingCall, reason: ApiError) => void;
  readonly unary: (read: ReadRequest, call: IncomingCall) => Promise<Message>;
  readonly stream: (read: ReadRequest, call: IncomingCall) => AsyncGenerator<Message>;
  readonly bidi: (requests: AsyncIterable<Message>, call: IncomingCall) => AsyncGenerator<Message>;
}

/** Puts the same way in around every handler, whatever transport and whatever kind of method. */
export function createPipeline<Caller>(bound: BoundMethod<Caller>, options: PipelineOptions<Caller>): PipelineMethod {
  const { desc, handler } = bound;
  const access = bound.access ?? methodAccess(desc);
  const admissions = new WeakMap<Admission, { readonly caller: Caller }>();

  function check(request: Message): void {
    const violations = validate(desc.input, request, options.clock.now());
    if (violations.length > 0) throw new ApiError(Code.InvalidArgument, describeViolations(violations));
  }

  async function callerOf(call: IncomingCall, bearer: string | undefined, seen: Seen<Caller>): Promise<Caller> {
    const admitted = call.admission === undefined ? undefined : admissions.get(call.admission);
    if (admitted !== undefined) return admitted.caller;
    const caller = await known(bearer, call, seen);
    seen.caller = caller;
    options.admit?.(caller, call.peer);
    seen.isAdmitted = true;
    options.refuseStrangers?.({ access, caller });
    return caller;
  }

  /** Without a request where it is still to come: then the method's name is all that is asked about. */
  async function enter(
    read: ReadRequest | undefined,
    call: IncomingCall,
    requestId: string,
    seen: Seen<Caller>,
  ): Promise<ServerContext<Caller>> {
    const bearer = bearerOf(call.authorization);
    const caller = await callerOf(call, bearer, seen);
    seen.caller = caller;
    seen.isAdmitted = true;
    const request = read?.();
    if (request !== undefined) {
      seen.request = request;
      check(request);
    }
    const authorize = async (who: Caller): Promise<void> =>
      options.authorize({ access, method: desc, request: request ?? create(desc.input), caller: who });
    await authorize(caller);
    if (handler === undefined) throw new ApiError(Code.Unimplemented, `this server does not implement ${access.path}`);
    const { peer, signal } = call;
    const checkAgain = async (): Promise<void> => authorize(await options.authenticate(bearer));
    return { caller, peer, signal, idempotencyKey: idempotencyKeyOf(call), requestId, checkAgain };
  }

  /** Whoever is behind a token; somebody with bad ones is let in as often as somebody without any. */
  async function known(bearer: string | undefined, call: IncomingCall, seen: Seen<Caller>): Promise<Caller> {
    try {
      return await options.authenticate(bearer);
    } catch (error) {
      // Where nobody could find out who calls, as while the database is away, the token is not bad.
      if (error instanceof ApiError && error.code === Code.Unauthenticated) options.admit?.(undefined, call.peer);
      seen.isAdmitted = true;
      throw error;
    }
  }

  function begin(call: IncomingCall): { requestId: string; end: (error?: unknown) => ApiError | undefined } {
    const requestId = call.admission?.requestId ?? Buffer.from(options.entropy.bytes(8)).toString('hex');
    const startedAt = options.clock.monotonic();
    const end = (error?: unknown): ApiError | undefined => {
      const shown = error === undefined ? undefined : toApiError(error, call.signal, requestId);
      options.onCall?.({
        method: access.path,
        peer: call.peer,
        requestId,
        durationMs: options.clock.monotonic() - startedAt,
        code: shown === undefined ? 'Ok' : shown.codeName,
        ...(shown === undefined ? {} : { error: shown }),
      });
      return shown;
    };
    return { requestId, end };
  }

  function auditOf(call: IncomingCall, requestId: string, seen: Seen<Caller>) {
    return async (outcome: AuditRecord<Caller>['outcome']): Promise<void> => {
      if (!access.audited || seen.isAdmitted !== true) return;
      const { caller, request = create(desc.input) } = seen;
      await options.audit?.({ requestId, method: access.path, request, caller, peer: call.peer, outcome });
    };
  }

  async function letIn(call: IncomingCall): Promise<Admission> {
    const { requestId, end } = begin(call);
    const seen: Seen<Caller> = {};
    try {
      const admission = { requestId };
      admissions.set(admission, { caller: await callerOf(call, bearerOf(call.authorization), seen) });
      return admission;
    } catch (error) {
      const shown = end(error);
      if (desc.methodKind === 'unary') {
        await auditOf(call, requestId, seen)(shown?.code ?? Code.Unknown).catch(() => undefined);
      }
      throw shown ?? error;
    }
  }

  const unreadable = (call: IncomingCall, reason: ApiError): void => void begin(call).end(reason);

  async function unary(read: ReadRequest, call: IncomingCall): Promise<Message> {
    const { requestId, end } = begin(call);
    const seen: Seen<Caller> = {};
    const audit = auditOf(call, requestId, seen);
    try {
      const context = await enter(read, call, requestId, seen);
      const { request } = seen;
      if (handler?.kind !== 'unary' || request === undefined) throw new Error(`${access.path} is not unary`);
      await audit('started');
      const response = create(desc.output, await handler.call(request, context));
      // It is done: an error would have the client do it again. That it was begun is written down.
      await audit('ok').catch(() => undefined);
      end();
      return response;
    } catch (error) {
      const shown = end(error);
      // It has failed as it is: whether that can be written down changes nothing for the client.
      await audit(shown?.code ?? Code.Unknown).catch(() => undefined);
      throw shown ?? error;
    }
  }

  async function* answering(
    read: ReadRequest | undefined,
    call: IncomingCall,
    answers: (context: ServerContext<Caller>, request: Message | undefined) => AsyncIterable<Record<string, unknown>>,
  ): AsyncGenerator<Message> {
    const { requestId, end } = begin(call);
    let ended = false;
    try {
      const seen: Seen<Caller> = {};
      const context = await enter(read, call, requestId, seen);
      for await (const message of answers(context, seen.request)) yield create(desc.output, message);
      call.signal.throwIfAborted();
      ended = true;
      end();
    } catch (error) {
      ended = true;
      throw end(error) ?? error;
    } finally {
      // The transport has stopped asking: the client is gone.
      if (!ended) end(new ApiError(Code.Canceled, 'the client has left'));
    }
  }

  const stream = (read: ReadRequest, call: IncomingCall): AsyncGenerator<Message> =>
    answering(read, call, (context, request) => {
      if (handler?.kind !== 'stream' || request === undefined) throw new Error(`${access.path} is not a stream`);
      return handler.call(request, context);
    });

  const bidi = (requests: AsyncIterable<Message>, call: IncomingCall): AsyncGenerator<Message> =>
    answering(undefined, call, (context) => {
      if (handler?.kind !== 'bidi') throw new Error(`${access.path} is not a bidirectional stream`);
      return handler.call(boundedRequests(requests, { ...options, check, signal: call.signal }), context);
    });

  return { desc, access, letIn, unreadable, unary, stream, bidi };
}

/** What the client is told: a handler's own error, or no more than a number to look for in the server's log. */
function toApiError(error: unknown, signal: AbortSignal, requestId: string): ApiError {
  if (error instanceof ApiError) return error;
  if (signal.aborted) {
    if (signal.reason instanceof ApiError) return signal.reason;
    return new ApiError(Code.Canceled, 'the call was cancelled', { cause: error });
  }
  return new ApiError(Code.Internal, `internal error; the server's log has more under request ${requestId}`, {
    cause: error,
  });
}
