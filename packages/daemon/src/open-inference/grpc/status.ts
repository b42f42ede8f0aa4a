/** gRPC's status codes for HTTP's. */

/** Numbers of the published table, so that nothing of gRPC is loaded for them. */
const CODES: Readonly<Record<number, number>> = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 5, // NOT_FOUND
  408: 4, // DEADLINE_EXCEEDED
  409: 6, // ALREADY_EXISTS
  413: 8, // RESOURCE_EXHAUSTED
  415: 3,
  422: 3,
  429: 8,
  499: 1, // CANCELLED
  501: 12, // UNIMPLEMENTED
  503: 14, // UNAVAILABLE
  504: 4,
};

const INTERNAL = 13;

export const grpcCode = (status: number): number => CODES[status] ?? INTERNAL;
