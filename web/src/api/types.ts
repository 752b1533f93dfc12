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
  locale: string | null;
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

export type ToolStatus = "ok" | "failed" | "unknown";

export interface ToolPart {
  type: "tool";
  call_id: string;
  name: string;
  /** JSON as the model wrote it. */
  arguments: string;
  status: ToolStatus | "called";
  result: string | null;
}

/** Why there is no complete answer. */
export interface FailurePart extends RunError {
  type: "failure";
}

/** The page that the person was looking at; nothing of it is shown. */
export interface PagePart {
  type: "page";
}

export type Part = TextPart | CitationPart | ToolPart | FailurePart | PagePart;

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
  input_tokens: number;
  output_tokens: number;
}

export interface Run {
  id: string;
  thread_id: string;
  status: "queued" | "running" | "completed" | "failed" | "cancelled";
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
