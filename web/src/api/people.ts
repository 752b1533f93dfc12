// Who belongs to an organization and who is in a course, invitations by mail, and people from files.
import { http, withQuery } from "./client";
import type { Page } from "./types";

const V1 = "/api/v1";

export type MemberRole = "student" | "teacher" | "organization_admin";
export type CourseRole = "student" | "teacher";
export type Sort = "name" | "-created_at";

export interface Wanted {
  role: string;
  q: string;
  sort: Sort;
}

export interface Member {
  user_id: string;
  name: string;
  email: string;
  /** Whether the person has shown that the address is theirs. */
  verified: boolean;
  role: MemberRole;
  /** No person, but an API key of the organization. */
  service: boolean;
  created_at: string;
}

export interface Enrolment {
  user_id: string;
  name: string;
  email: string;
  role: CourseRole;
  created_at: string;
}

export type InvitationState = "open" | "accepted" | "withdrawn" | "expired";

export interface InvitationView {
  id: string;
  email: string;
  name: string | null;
  role: MemberRole;
  course_ids: string[];
  state: InvitationState;
  expires_at: string;
  created_at: string;
}

export interface NewInvitation {
  email: string;
  name?: string;
  role: MemberRole;
  course_ids: string[];
}

/** `all` keeps nothing unless every line is fine, `valid` keeps what is. */
export type Mode = "all" | "valid";

export interface LineReport {
  line: number;
  who: string;
  outcome: string;
  detail: string | null;
}

export interface ImportReport {
  applied: boolean;
  dry_run: boolean;
  lines: number;
  outcomes: Record<string, number>;
  accounts: number;
  memberships: number;
  enrolments: number;
  changes: number;
  failed: number;
  problems: LineReport[];
  remarks: LineReport[];
}

export interface BulkReport {
  applied: boolean;
  enrolled: number;
  lines: LineReport[];
}

export interface Account {
  id: string;
  email: string;
  name: string;
  site_admin: boolean;
  suspended: boolean;
  email_verified: boolean;
  created_at: string;
}

const organization = (id: string) => `${V1}/organizations/${id}`;
const enrolmentsOf = (courseId: string) => `${V1}/courses/${courseId}/enrolments`;
const asked = ({ role, q, sort }: Wanted, after: string | null) => ({ role, q, sort, after, limit: 50 });

export const members = {
  list: (id: string, wanted: Wanted, after: string | null) =>
    http.get<Page<Member>>(`${organization(id)}/members`, asked(wanted, after)),
  add: (id: string, email: string, role: MemberRole) => http.post<Member>(`${organization(id)}/members`, { email, role }),
  change: (id: string, userId: string, role: MemberRole) =>
    http.patch<Member>(`${organization(id)}/members/${userId}`, { role }),
  remove: (id: string, userId: string) => http.delete(`${organization(id)}/members/${userId}`),
  file: (id: string) => `${organization(id)}/members.csv`,
  import: (id: string, file: File, given: { mode: Mode; dryRun: boolean; update: boolean }) => {
    const form = new FormData();
    form.append("file", file, file.name);
    const query = { mode: given.mode, dry_run: String(given.dryRun), update: String(given.update) };
    return http.post<ImportReport>(withQuery(`${organization(id)}/import`, query), form);
  },
};

export const invited = {
  list: (id: string, state: string, after: string | null) =>
    http.get<Page<InvitationView>>(`${organization(id)}/invitations`, { state, after, limit: 50 }),
  invite: (id: string, given: NewInvitation) => http.post<InvitationView>(`${organization(id)}/invitations`, given),
  again: (id: string, invitationId: string) =>
    http.post<InvitationView>(`${organization(id)}/invitations/${invitationId}/resend`),
  withdraw: (id: string, invitationId: string) => http.delete(`${organization(id)}/invitations/${invitationId}`),
};

export const enrolments = {
  list: (courseId: string, wanted: Wanted, after: string | null) =>
    http.get<Page<Enrolment>>(enrolmentsOf(courseId), asked(wanted, after)),
  many: (courseId: string, people: { email: string; role?: string }[], mode: Mode) =>
    http.post<BulkReport>(`${enrolmentsOf(courseId)}/bulk`, { people, mode }),
  change: (courseId: string, userId: string, role: CourseRole) =>
    http.patch<Enrolment>(`${enrolmentsOf(courseId)}/${userId}`, { role }),
  remove: (courseId: string, userId: string) => http.delete(`${enrolmentsOf(courseId)}/${userId}`),
};

export interface Organization {
  id: string;
  name: string;
}

/** The organizations that a person may see; all of them for site admins. */
export const organizations = {
  list: (q: string, after: string | null) => http.get<Page<Organization>>(`${V1}/organizations`, { q, after, limit: 50 }),
};

/** Everybody's accounts, for site admins. */
export const accounts = {
  list: (q: string, suspended: string, after: string | null) =>
    http.get<Page<Account>>(`${V1}/accounts`, { q, suspended, after, limit: 50 }),
  act: (id: string, what: "suspend" | "restore" | "verify") => http.post<Account>(`${V1}/accounts/${id}/${what}`),
  remove: (id: string) => http.delete(`${V1}/accounts/${id}`),
};

export type MailState = "waiting" | "sent" | "kept" | "failed";

export interface MailView {
  id: string;
  recipient: string;
  subject: string;
  state: MailState;
  /** Why it was not sent. */
  error: string | null;
  created_at: string;
  sent_at: string | null;
}

export const mails = {
  list: (state: string, after: string | null) => http.get<Page<MailView>>(`${V1}/mails`, { state: state || null, after, limit: 50 }),
  body: async (id: string) => (await http.get<MailView & { body: string }>(`${V1}/mails/${id}`)).body,
};
