// What assistants may use besides our own tools, and the rules of when, as the server tells them.
import type { Effect } from "./types";

export type ConnectionKind = "openapi" | "mcp";

/** How a connection signs in; secrets only ever go in. */
export type AuthGiven =
  | { kind: "none" }
  | { kind: "bearer"; token: string }
  | { kind: "header"; name: string; value: string }
  | { kind: "oauth2_client"; token_url: string; client_id: string; client_secret: string; scope: string };

export interface NewConnection {
  organization_id: string;
  kind: ConnectionKind;
  name: string;
  url: string;
  auth: AuthGiven;
}

export interface ConnectionChange {
  enabled?: boolean;
  effects?: Record<string, Effect>;
}

export interface Connection {
  id: string;
  kind: ConnectionKind;
  name: string;
  url: string | null;
  command: string[] | null;
  auth: { kind: string; secret_set: boolean };
  enabled: boolean;
  effects: Record<string, Effect>;
  state: string;
  problem: string | null;
  notes: string[];
  checked_at: string | null;
  tool_count: number;
}

export interface ConnectionTool {
  name: string;
  title: string;
  description: string;
  parameters: Record<string, unknown>;
  says_reads: boolean;
  says_destroys: boolean;
  effect: Effect;
  /** `changed`: something of it is not what was approved. */
  approval: "approved" | "changed" | "new";
}

export interface ConnectionTools {
  document_hash: string | null;
  items: ConnectionTool[];
}

export type Decision = "allow" | "ask" | "deny";
export type Approver = "asker" | "teacher" | "organization_admin";

export interface ToolRule {
  tools: string;
  decision: Decision;
  approver: Approver;
}
