// What can go wrong between here and the service, as two classes: it said no, or it could not be understood or reached.

import type { components } from './generated.js';
import type { Trouble } from './types.js';

export type FieldProblem = components['schemas']['FieldProblem'];

/** The service answered, and the answer is no (RFC 9457). Decide by `code`, show `detail`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable and machine-readable, such as `rate_limited`; `unknown` where the answer was no problem document. */
  readonly code: string;
  readonly requestId: string | null;
  readonly errors: readonly FieldProblem[];
  /** Milliseconds to wait before asking again, where the answer said so. */
  readonly retryAfter: number | null;

  constructor(status: number, body: unknown, retryAfter: number | null) {
    const said = isRecord(body) ? body : {};
    const detail = text(said.detail) ?? `The service answered ${status}.`;
    super(detail);
    this.type = text(said.type) ?? 'about:blank';
    this.title = text(said.title) ?? `Status ${status}`;
    this.status = status;
    this.detail = detail;
    this.code = text(said.code) ?? 'unknown';
    this.requestId = text(said.requestId);
    this.errors = Array.isArray(said.errors) ? said.errors.filter(isFieldProblem) : [];
    this.retryAfter = retryAfter;
  }
}

export type NetworkTrouble = 'unreachable' | 'timeout' | 'invalid_answer';

/** No answer, none in time, or none that makes sense. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly kind: NetworkTrouble;

  constructor(kind: NetworkTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The same in one word, for who lives with it. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof NetworkError) return error.kind;
  if (!(error instanceof ProblemError)) return 'unreachable';
  if (error.status === 429) return 'rate_limited';
  return error.status >= 500 ? 'server_error' : 'request_refused';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return isRecord(value) && text(value.field) !== null && text(value.code) !== null && text(value.message) !== null;
}
