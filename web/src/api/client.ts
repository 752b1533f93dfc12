// One way to call the server: JSON in and out, problem+json turned into ApiError, 401 told to the session.

export interface FieldProblem {
  path: string;
  message: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: FieldProblem[] = [],
    /** Seconds until it makes sense to try again, when the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export type Query = Record<string, string | number | null | undefined>;

interface Options {
  body?: unknown;
  form?: FormData;
  query?: Query;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  keepalive?: boolean;
}

type Listener = () => void;
let unauthorized: Listener = () => undefined;

export function onUnauthorized(listener: Listener): void {
  unauthorized = listener;
}

export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (pairs.length === 0) return path;
  return `${path}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

/** The raw response; throws ApiError for every status that is not 2xx and for a lost network. */
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: options.signal ?? null };
  if (options.keepalive) init.keepalive = true;
  if (options.body instanceof FormData) init.body = options.body;
  else if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.form) init.body = options.form;
  const response = await reach(withQuery(path, options.query), init);
  if (response.ok) return response;
  const error = await readProblem(response);
  if (response.status === 401 && !path.startsWith("/api/auth/")) unauthorized();
  throw error;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "network", "The server cannot be reached.");
  }
}

async function readProblem(response: Response): Promise<ApiError> {
  const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const retryAfter = Number.isFinite(after) ? after : null;
  try {
    const body = (await response.json()) as { code?: string; detail?: string; title?: string; fields?: FieldProblem[] };
    const message = body.detail || body.title || `The server answered ${response.status}.`;
    return new ApiError(response.status, body.code ?? "unknown", message, body.fields ?? [], retryAfter);
  } catch {
    return new ApiError(response.status, "unknown", `The server answered ${response.status}.`, [], retryAfter);
  }
}

async function json<T>(method: string, path: string, options?: Options): Promise<T> {
  const response = await send(method, path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const http = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    json<T>("GET", path, { ...(query && { query }), ...(signal && { signal }) }),
  post: <T>(path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
    json<T>("POST", path, { body, headers }),
  patch: <T>(path: string, body: unknown) => json<T>("PATCH", path, { body }),
  put: <T>(path: string, body: unknown) => json<T>("PUT", path, { body }),
  delete: (path: string, keepalive = false) => json<undefined>("DELETE", path, { keepalive }),
};

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
