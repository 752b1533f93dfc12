// Every server address that the app knows, each as one typed function.
import { localeOf } from "../text/locale";
import { http, send, withQuery } from "./client";
import type { Connection, ConnectionChange, ConnectionTools, NewConnection, ToolRule } from "./connections";
import type { About, ApprovalReply, ApprovalView, AttachedPart, Course, GoldenQuestion, GoldenReport, Invitation, Lesson, LessonSummary, Me, Message, Named, Page, PageContext, Passage, Rating, Run, Source, SourceDocument, Thread } from "./types";

const V1 = "/api/v1";

export const auth = {
  me: () => http.get<Me>("/api/auth/me"),
  login: (email: string, password: string) =>
    http.post<unknown>("/api/auth/login", { email, password, session_mode: "web" }),
  signup: (name: string, email: string, password: string) =>
    http.post<unknown>("/api/auth/signup", { name, email, password, locale: localeOf(navigator.language), session_mode: "web" }),
  logout: () => http.post<unknown>("/api/auth/logout"),
  providers: () => http.get<{ items: Named[] }>("/api/auth/oidc"),
  forgot: (email: string) => http.post<unknown>("/api/auth/password/forgot", { email }),
  reset: (token: string, password: string) => http.post<unknown>("/api/auth/password/reset", { token, password }),
  verify: (token: string) => http.post<{ email: string }>("/api/auth/email/verify", { token }),
};

/** Where a browser goes to sign in through a provider, and comes back to `next`. */
export const startAt = (provider: string, next: string) =>
  withQuery(`/api/auth/oidc/${encodeURIComponent(provider)}/start`, { next });

export const about = () => http.get<About>(`${V1}/about`);

export const courses = {
  mine: (after: string | null) => http.get<Page<Course>>(`${V1}/courses/my`, { limit: 100, after }),
  lessons: (id: string, after: string | null) =>
    http.get<Page<LessonSummary>>(`${V1}/courses/${id}/lessons`, { limit: 100, after }),
  lesson: (id: string) => http.get<Lesson>(`${V1}/lessons/${id}`),
};

export const sources = {
  list: (courseId: string, after: string | null) =>
    http.get<Page<Source>>(`${V1}/sources`, { course_id: courseId, after, limit: 100 }),
  get: (id: string) => http.get<Source>(`${V1}/sources/${id}`),
  events: (id: string) => `${V1}/sources/${id}/events`,
  documents: (id: string) => http.get<Page<SourceDocument>>(`${V1}/sources/${id}/documents`, { limit: 100 }),
  run: (id: string) => http.post<Source>(`${V1}/sources/${id}/run`),
  remove: (id: string) => http.delete(`${V1}/sources/${id}`),
  upload: (courseId: string, file: File) => {
    const form = new FormData();
    form.append("file", file, file.name);
    return http.post<Source>(`${V1}/courses/${courseId}/sources`, form);
  },
};

const goldenOf = (courseId: string) => `${V1}/courses/${courseId}/golden-questions`;

export const golden = {
  report: (courseId: string) => http.get<GoldenReport>(`${goldenOf(courseId)}/report`),
  worse: (courseId: string) => http.get<Page<GoldenQuestion>>(goldenOf(courseId), { worse: "true", limit: 100 }),
  add: (courseId: string, question: string, document: string) =>
    http.post<Page<GoldenQuestion>>(goldenOf(courseId), { question, document }),
  check: (courseId: string) => http.post<GoldenReport>(`${goldenOf(courseId)}/check`),
  accept: (courseId: string) => http.post<GoldenReport>(`${goldenOf(courseId)}/accept`),
};

export const threads = {
  list: (courseId: string | null, after: string | null) =>
    http.get<Page<Thread>>(`${V1}/threads`, { course_id: courseId, after, limit: 40 }),
  create: (courseId: string | null, key: string) =>
    http.post<Thread>(`${V1}/threads`, courseId ? { course_id: courseId } : {}, { "Idempotency-Key": key }),
  get: (id: string) => http.get<Thread>(`${V1}/threads/${id}`),
  rename: (id: string, title: string) => http.patch<Thread>(`${V1}/threads/${id}`, { title }),
  remove: (id: string, keepalive = false) => http.delete(`${V1}/threads/${id}`, keepalive),
  /** Newest first, so that a long thread opens at its end. */
  messages: (id: string, after: string | null) =>
    http.get<Page<Message>>(`${V1}/threads/${id}/messages`, { order: "desc", limit: 40, after }),
};

export const messages = {
  rate: (id: string, rating: Rating) => http.put<unknown>(`${V1}/messages/${id}/feedback`, { rating }),
  unrate: (id: string) => http.delete(`${V1}/messages/${id}/feedback`),
  /** Take back what a tool did in an answer; the message comes back with its mark. */
  undo: (id: string, callId: string) =>
    http.post<Message>(withQuery(`${V1}/messages/${id}/undo`, { call_id: callId })),
};

export const invitations = {
  look: (token: string) => http.post<Invitation>("/api/auth/invitation/look", { token }),
  /** With nothing but the token for whoever is signed in to the account that it is for. */
  accept: (token: string, given: { name?: string; password?: string }) =>
    http.post<unknown>("/api/auth/invitation/accept", { token, ...given, locale: localeOf(navigator.language), session_mode: "web" }),
};

/** Files that a person sends with a message. */
export const attachments = {
  upload: async (file: File, signal: AbortSignal): Promise<Omit<AttachedPart, "type">> => {
    const form = new FormData();
    form.append("file", file);
    return (await send("POST", `${V1}/attachments`, { form, signal })).json();
  },
  remove: (id: string) => http.delete(`${V1}/attachments/${id}`),
  content: (id: string) => `${V1}/attachments/${id}/content`,
  thumbnail: (id: string) => `${V1}/attachments/${id}/thumbnail`,
};

export interface Question {
  threadId: string;
  text: string;
  files: readonly AttachedPart[];
  key: string;
  context: PageContext | null;
}

const STREAM = { Accept: "text/event-stream" };

export const runs = {
  get: (id: string) => http.get<Run>(`${V1}/runs/${id}`),
  cancel: (id: string) => http.post<Run>(`${V1}/runs/${id}/cancel`),
  start: (question: Question, signal: AbortSignal) =>
    send("POST", `${V1}/threads/${question.threadId}/runs`, {
      body: {
        message: question.text,
        attachments: question.files.map((file) => file.id),
        ...(question.context && { context: question.context }),
      },
      headers: { ...STREAM, "Idempotency-Key": question.key },
      signal,
    }),
  follow: (id: string, after: string | null, signal: AbortSignal) =>
    send("GET", `${V1}/runs/${id}/events`, {
      query: { after },
      headers: { ...STREAM, ...(after && { "Last-Event-ID": after }) },
      signal,
    }),
  /** The signed-in person's live feed. */
  feed: (signal: AbortSignal) => send("GET", `${V1}/events`, { headers: STREAM, signal }),
};

/** Calls of tools that wait for a person. */
export const approvals = {
  get: (id: string) => http.get<ApprovalView>(`${V1}/approvals/${id}`),
  pending: (after: string | null) => http.get<Page<ApprovalView>>(`${V1}/approvals`, { pending: "true", limit: 50, after }),
  answer: (id: string, reply: ApprovalReply) => http.post<ApprovalView>(`${V1}/approvals/${id}`, reply),
};

/** Servers of others whose tools an organization's assistants may use. */
export const connections = {
  list: (organizationId: string, after: string | null) =>
    http.get<Page<Connection>>(`${V1}/connections`, { organization_id: organizationId, limit: 100, after }),
  create: (given: NewConnection) => http.post<Connection>(`${V1}/connections`, given),
  get: (id: string) => http.get<Connection>(`${V1}/connections/${id}`),
  change: (id: string, given: ConnectionChange) => http.patch<Connection>(`${V1}/connections/${id}`, given),
  test: (id: string) => http.post<{ connection: Connection; tools: string[] }>(`${V1}/connections/${id}/test`),
  remove: (id: string) => http.delete(`${V1}/connections/${id}`),
  tools: (id: string) => http.get<ConnectionTools>(`${V1}/connections/${id}/tools`),
  approve: (id: string, hash: string, tools: string[]) =>
    http.post<ConnectionTools>(`${V1}/connections/${id}/approve`, { document_hash: hash, tools }),
};

export const toolRules = {
  get: (organizationId: string) => http.get<{ rules: ToolRule[] }>(`${V1}/organizations/${organizationId}/tool-rules`),
  set: (organizationId: string, rules: ToolRule[]) =>
    http.put<{ rules: ToolRule[] }>(`${V1}/organizations/${organizationId}/tool-rules`, { rules }),
};

export const passages = {
  get: (id: string) => http.get<Passage>(`${V1}/passages/${id}`),
};
