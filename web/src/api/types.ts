// The JSON that the server speaks, as TypeScript: one interface per shape of the REST API.

export type Role = "student" | "teacher" | "organization_admin" | "site_admin";

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface User {
  id: string;
  email: string;
  name: string;
  email_verified: boolean;
  locale: string;
  /** Facts that assistants may take into account. */
  profile: Record<string, string>;
}

export interface Named {
  id: string;
  name: string;
}

export interface Me {
  user: User;
  organization: Named | null;
  role: Role | null;
  memberships: { organization: Named; role: Role }[];
}

export type ModelKind = "offline" | "scripted" | "openai" | "anthropic" | "compatible";

export interface About {
  name: string;
  version: string;
  model: { kind: ModelKind; name: string };
  environment: string;
  demo: boolean;
  /** Whether people may create accounts for themselves. */
  sign_up: boolean;
}

export interface Course {
  id: string;
  organization_id: string;
  title: string;
  description: string | null;
  published: boolean;
  lesson_count: number;
  my_role: string | null;
}

export interface Source {
  id: string;
  kind: "lessons" | "folder" | "upload" | "git" | "urls" | "openapi";
  name: string;
  state: "waiting" | "indexing" | "ready" | "failed";
  error: string | null;
  done: number;
  total: number;
  documents: number;
  failed: number;
  skipped: { path: string; reason: string }[];
  checked_at: string | null;
  updated_at: string;
}

export interface SourceDocument {
  id: string;
  path: string;
  state: string;
  error: string | null;
  published: boolean;
}

export interface GoldenReport {
  questions: number;
  checked: number;
  found: number;
  worse: number;
  checked_at: string | null;
}

export interface GoldenQuestion {
  id: string;
  question: string;
  document: string;
  place: number | null;
  best: number | null;
}

export interface LessonSummary {
  id: string;
  course_id: string;
  title: string;
  path: string;
  position: number;
  published: boolean;
}

export interface Lesson extends LessonSummary {
  /** Markdown. */
  body: string;
}

export interface Thread {
  id: string;
  title: string | null;
  preview: string | null;
  course_id: string | null;
  assistant: Named | null;
  live_run_id: string | null;
  created_at: string;
  updated_at: string;
}

export interface TextPart {
  type: "text";
  text: string;
}

export interface CitationPart {
  type: "citation";
  number: number;
  passage_id: string;
  document_id: string;
  lesson_id: string | null;
  title: string;
  heading_path: string[];
  quote: string;
  url: string | null;
}

/** `denied`: nothing was done; `unknown`: it is not known whether it was. */
export type ToolStatus = "ok" | "failed" | "denied" | "unknown";

/** What a tool does to the world. */
export type Effect = "reads" | "writes" | "destroys";

/** The call that takes back what a tool did. */
export interface Undo {
  tool: string;
  /** JSON. */
  arguments: string;
  /** On the button. */
  label: string;
}

export interface ToolPart {
  type: "tool";
  call_id: string;
  name: string;
  /** JSON as it was carried out, or as the model wrote it. */
  arguments: string;
  // What stands at its default is left away.
  status?: ToolStatus | "called";
  result?: string | null;
  effect?: Effect;
  /** What the model had asked for, where a person changed it. */
  asked?: string | null;
  undo?: Undo | null;
  undone?: boolean;
}

/** One field of what would be changed. */
export interface Change {
  field: string;
  before: unknown;
  after: unknown;
}

/** A call that waits for a person, with all that it would do: the server's words, not the model's. */
export interface Approval {
  id: string;
  call_id: string;
  name: string;
  effect: Effect;
  title: string;
  /** JSON, exactly as it will be carried out. */
  arguments: string;
  changes: Change[];
  notes: string[];
  /** Stands for everything shown; goes back with the answer. */
  hash: string;
  expires_at: string;
  /** A yes; or what the page makes of the call, or the answers to its questions, which only that page can send. */
  wants: "yes" | "result" | "answers";
}

/** What has become of it. `withdrawn`: its run has ended without an answer. */
export interface ApprovalView {
  id: string;
  status: "pending" | "approved" | "denied" | "expired" | "withdrawn";
  /** `asker`, or the role whose holders may answer too. */
  approver: string;
  /** Whether the person who looks may answer. */
  mine: boolean;
  approval: Approval;
  edited: string | null;
}

export interface ApprovalReply {
  decision: "approve" | "deny";
  hash: string;
  reason?: string;
  /** What to carry out instead. */
  arguments?: Record<string, unknown>;
}

/** Why there is no complete answer. */
/** What the model has thought aloud. */
export interface ReasoningPart {
  type: "reasoning";
  text: string;
  /** Left away where nobody knows. */
  seconds?: number;
}

/** The answer stops before its end. */
export interface CutPart {
  type: "cut";
  reason: "length" | "content_filter";
}

export interface FailurePart extends RunError {
  type: "failure";
}

/** A file that was sent with the message. */
export interface AttachedPart {
  type: "attachment";
  id: string;
  name: string;
  mime_type: string;
  /** Bytes. */
  size: number;
}

/** The page that the person was looking at; nothing of it is shown. */
export interface PagePart {
  type: "page";
}

export type Part =
  | TextPart
  | ReasoningPart
  | CitationPart
  | ToolPart
  | CutPart
  | FailurePart
  | PagePart
  | AttachedPart;

export interface Message {
  id: string;
  thread_id: string;
  position: number;
  parent_id: string | null;
  role: "user" | "assistant";
  status: "complete" | "partial" | "failed";
  text: string;
  parts: Part[];
  run_id: string | null;
  created_at: string;
  /** What the person thinks of an answer; left away where nobody has looked for it. */
  feedback?: Feedback | null;
}

export type Rating = "up" | "down";

export interface Feedback {
  rating: Rating;
  comment: string;
}

/** An invitation as its holder sees it. */
export interface Invitation {
  organization: Named;
  email: string;
  name: string | null;
  role: Role;
  /** Whether there is an account to sign in to. */
  account: boolean;
}

export interface RunError {
  code: string;
  detail: string;
  retry: boolean;
}

export interface Usage {
  /** US dollars; null where it is not known. */
  cost_usd: number | null;
  input_tokens: number;
  output_tokens: number;
}

export interface Run {
  id: string;
  thread_id: string;
  status: "queued" | "running" | "awaiting_approval" | "completed" | "failed" | "cancelled";
  message_id: string;
  answer: Message | null;
  error: RunError | null;
  created_at: string;
  finished_at: string | null;
}

export interface PassageRef {
  number: number;
  passage_id: string;
  title: string;
  heading_path: string[];
  lesson_id: string | null;
}

export interface Passage {
  id: string;
  document_id: string;
  lesson_id: string | null;
  course_id: string | null;
  title: string;
  heading_path: string[];
  text: string;
  quote: string;
  url: string | null;
  /** Neighbouring text of the same document; may be empty. */
  before: string;
  after: string;
}

/** What the person is looking at while asking. */
export interface PageContext {
  url?: string;
  title?: string;
  path?: string;
  headings?: string[];
  description?: string;
}
