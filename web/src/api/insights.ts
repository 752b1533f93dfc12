// What happened in numbers, and who changed what.
import { http } from "./client";
import type { Page } from "./types";

const V1 = "/api/v1";

/** null where a figure would speak of too few people. */
export interface Figures {
  threads: number | null;
  questions: number | null;
  answered: number | null;
  unanswered: number | null;
  up: number | null;
  down: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
}

export interface DayFigures extends Figures {
  day: string;
  /** How many asked something. */
  active_people: number | null;
}

export interface Analytics {
  from: string;
  to: string;
  smallest_group: number;
  /** Who learns in the course, or belongs to the organization, now. */
  people: number | null;
  total: Figures & { complete: boolean };
  days: DayFigures[];
}

export interface AuditEntry {
  id: string;
  at: string;
  actor_id: string | null;
  actor_name: string | null;
  actor_role: string | null;
  organization_id: string | null;
  action: string;
  thing_id: string | null;
  thing_name: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  address: string | null;
  request_id: string | null;
}

export interface AuditWanted {
  organization_id?: string | null;
  actor_id?: string | null;
  action?: string | null;
  thing_id?: string | null;
  from?: string | null;
  to?: string | null;
}

export interface ActivityItem {
  id: string;
  at: string;
  kind: "change" | "question" | "task";
  /** Of a change, such as `course.create`. */
  action: string | null;
  title: string | null;
}

export const insights = {
  ofMember: (organizationId: string, userId: string, after: string | null) =>
    http.get<Page<ActivityItem>>(`${V1}/organizations/${organizationId}/members/${userId}/activity`, { after, limit: 10 }),
  of: (place: "courses" | "organizations", id: string, from: string) =>
    http.get<Analytics>(`${V1}/${place}/${id}/analytics`, { from }),
  audit: (wanted: AuditWanted, after: string | null) =>
    http.get<Page<AuditEntry>>(`${V1}/audit`, { ...wanted, after, limit: 50 }),
};
