// One's own account, as the server keeps it: profile, password, address, sessions and API keys.
import { http } from "./client";
import type { MemberRole } from "./people";
import type { Me, Page } from "./types";

export interface SessionView {
  id: string;
  method: string;
  created_at: string;
  /** To some minutes. */
  used_at: string | null;
  address: string | null;
  user_agent: string | null;
  current: boolean;
}

export type Scope = "read" | "write" | "chat";

export interface ApiKey {
  id: string;
  name: string;
  /** Its first characters. */
  hint: string;
  scopes: Scope[];
  organization_id: string | null;
  expires_at: string | null;
  used_at: string | null;
  revoked_at: string | null;
  created_at: string;
}

export interface NewKey {
  name: string;
  scopes: Scope[];
  expires_at: string;
  /** What an organization's key is there. */
  role?: MemberRole;
}

export interface AccountChange {
  name?: string;
  locale?: string;
  /** Facts that are not named stay; null removes one. */
  profile?: Record<string, string | null>;
}

const SESSIONS = "/api/auth/sessions";

export const account = {
  change: (given: AccountChange) => http.patch<Me>("/api/auth/me", given),
  switchTo: (organizationId: string) => http.post<Me>("/api/auth/switch", { organization_id: organizationId }),
  password: (current: string, next: string) =>
    http.post<undefined>("/api/auth/password", { current_password: current, new_password: next }),
  email: (email: string, password: string) => http.post<unknown>("/api/auth/email", { email, password }),
  /** The password; an account without one is asked for a fresh sign-in. */
  remove: (password: string) => http.post<undefined>("/api/auth/me/delete", password ? { password } : {}),
  sendVerification: () => http.post<unknown>("/api/auth/email/verification"),
};

export const sessions = {
  list: (after: string | null) => http.get<Page<SessionView>>(SESSIONS, { limit: 50, after }),
  end: (id: string) => http.delete(`${SESSIONS}/${id}`),
  endOthers: () => http.delete(SESSIONS),
};

/** One's own keys, or those of an organization, which act under accounts of their own. */
export const apiKeys = (organizationId: string | null) => {
  const place = organizationId === null ? "/api/v1/api-keys" : `/api/v1/organizations/${organizationId}/api-keys`;
  return {
    list: (after: string | null) => http.get<Page<ApiKey>>(place, { limit: 50, after }),
    create: (given: NewKey) => http.post<ApiKey & { key: string }>(place, given),
    end: (id: string) => http.delete(`${place}/${id}`),
  };
};
