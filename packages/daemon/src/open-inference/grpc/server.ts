/** The gRPC server: a port of its own, in front of the same routes as HTTP. Loaded only where a port is set. */
import { fileURLToPath } from 'node:url';
import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  Metadata,
  Server,
  ServerErrorResponse,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { errorMessage, TollamaError, toTollamaError } from '@tollama/core/errors';
import { LIMITS } from '@tollama/core/limits';
import { installHint } from '@tollama/core/missing-package';
import { toldIn } from '../../http/dialects.ts';
import { TIMED_OUT_HEADER } from '../../http/errors.ts';
import { HEADER } from './infer-messages.ts';
import type { ModelInferRequest } from './messages.ts';
import { type AskRoute, METHODS, type Method, modelInfer, type RouteRequest } from './service.ts';
import { grpcCode } from './status.ts';
import { answerStream } from './stream.ts';

type Grpc = typeof import('@grpc/grpc-js');

/** Answers a request as the daemon's HTTP server would. */
export type Fetch = (request: Request) => Response | Promise<Response>;

export interface GrpcOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly fetch: Fetch;
  /** Largest body of the routes behind. */
  readonly maxBytes: number;
}

export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
}

/** What a call carries that the routes read too. */
const FORWARDED = ['authorization', 'x-request-id', 'traceparent', 'tracestate'];
const CLOSE_MS = 2000;
/** What gRPC calls DEADLINE_EXCEEDED; the protocol over HTTP has only 503 for it. */
const GATEWAY_TIMEOUT = 504;
/** Room for names and parameters beside the tensors. */
const OVERHEAD_BYTES = 1024 * 1024;

class GrpcFailure extends Error {
  readonly status: number;
  readonly retryAfter: string | null;

  constructor(message: string, status: number, retryAfter: string | null = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const headersOf = (metadata: Metadata): Headers => {
  const headers = new Headers();
  for (const name of FORWARDED) {
    const [value] = metadata.get(name);
    if (typeof value === 'string') headers.set(name, value);
  }
  return headers;
};

const toRequest = (
  { method, path, json, binary }: RouteRequest,
  headers: Headers,
  signal: AbortSignal,
): Request => {
  const body = binary?.body ?? (json && JSON.stringify(json));
  if (binary) headers.set(HEADER, String(binary.headerLength));
  return new Request(`http://grpc${path}`, {
    method,
    headers,
    signal,
    ...(body !== undefined && { body }),
  });
};

const asker =
  (fetch: Fetch, metadata: Metadata, signal: AbortSignal): AskRoute =>
  async (request, passed = []) => {
    const response = await fetch(toRequest(request, headersOf(metadata), signal));
    if (response.ok || passed.includes(response.status)) return response;
    const text = await response.text();
    let message = text;
    try {
      const { error } = JSON.parse(text) as { error: string | { message: string } };
      message = typeof error === 'string' ? error : error.message;
    } catch {
      // An answer that is no JSON is told as it is.
    }
    const status = response.headers.has(TIMED_OUT_HEADER) ? GATEWAY_TIMEOUT : response.status;
    throw new GrpcFailure(message, status, response.headers.get('retry-after'));
  };

const failureOf = (grpc: Grpc, thrown: unknown): Partial<ServerErrorResponse> => {
  if (thrown instanceof GrpcFailure) {
    const metadata = new grpc.Metadata();
    if (thrown.retryAfter !== null) metadata.set('retry-after', thrown.retryAfter);
    return { code: grpcCode(thrown.status), details: thrown.message, metadata };
  }
  const told = toldIn('open-inference', toTollamaError(thrown))!;
  return { code: grpcCode(told.status), details: (told.body as { error: string }).error };
};

const handler =
  (grpc: Grpc, method: Method, fetch: Fetch): handleUnaryCall<object, object> =>
  (call: ServerUnaryCall<object, object>, callback) => {
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort());
    method(call.request as never, asker(fetch, call.metadata, abort.signal)).then(
      (answer) => callback(null, answer),
      (thrown: unknown) => callback(failureOf(grpc, thrown)),
    );
  };

const streamHandler =
  (grpc: Grpc, fetch: Fetch): handleBidiStreamingCall<ModelInferRequest, object> =>
  (call) => {
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort());
    const infer = (request: ModelInferRequest): Promise<object> =>
      modelInfer(request, asker(fetch, call.metadata, abort.signal));
    answerStream(call, infer, (thrown) => failureOf(grpc, thrown).details ?? '');
  };

const loadPackages = async () => {
  try {
    const [grpc, loader] = await Promise.all([
      import('@grpc/grpc-js'),
      import('@grpc/proto-loader'),
    ]);
    return { grpc, loader };
  } catch (cause) {
    throw new TollamaError('DEPENDENCY_MISSING', `gRPC is not there: ${errorMessage(cause)}`, {
      hint: `${installHint('@grpc/grpc-js', '@grpc/proto-loader')}; or leave TOLLAMA_GRPC_PORT out`,
      cause,
    });
  }
};

export const PROTO = fileURLToPath(new URL('./inference.proto', import.meta.url));
export const SERVICE = 'inference.GRPCInferenceService';
/** As `messages.ts` has them. */
export const LOADING = {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
} as const;

const bind = (grpc: Grpc, server: Server, { host, port }: GrpcOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (cause, bound) => {
      if (!cause) return resolve(bound);
      const message = `cannot listen for gRPC on ${address}: ${cause.message}`;
      const hint = 'choose another port with --grpc-port or TOLLAMA_GRPC_PORT';
      reject(new TollamaError('CONFIG_INVALID', message, { hint, cause }));
    });
  });

/**
 * Listens for the Open Inference Protocol over gRPC, without TLS, as HTTP does.
 *
 * @throws TollamaError DEPENDENCY_MISSING without the packages, CONFIG_INVALID for a port that cannot be bound
 */
export const startGrpc = async (options: GrpcOptions): Promise<GrpcServer> => {
  const { grpc, loader } = await loadPackages();
  const definition = (await loader.load(PROTO, LOADING))[SERVICE] as ServiceDefinition;
  const maxBytes = Math.max(options.maxBytes, LIMITS.panelBodyBytes) + OVERHEAD_BYTES;
  const server = new grpc.Server({
    'grpc.max_receive_message_length': maxBytes,
    'grpc.max_send_message_length': -1,
  });
  const implementation: UntypedServiceImplementation = Object.fromEntries(
    Object.entries(METHODS).map(([name, method]) => [name, handler(grpc, method, options.fetch)]),
  );
  implementation.ModelStreamInfer = streamHandler(grpc, options.fetch);
  server.addService(definition, implementation);
  const port = await bind(grpc, server, options);
  return {
    port,
    async [Symbol.asyncDispose]() {
      // Calls under way end by themselves: what they wait for is stopped next.
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const timer = setTimeout(() => server.forceShutdown(), CLOSE_MS).unref();
      await closed;
      clearTimeout(timer);
    },
  };
};
