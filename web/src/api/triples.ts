// Triples: what a language model has read in an organization's material of how things are related, and what that costs.
import { http } from "./client";

export interface TripleEstimate {
  model: string;
  chunks: number;
  /** Of them, those that this model has read already. */
  read: number;
  requests: number;
  input_tokens: number;
  output_tokens: number;
  /** US dollars; null where no price is known, and why. */
  cost_usd: number | null;
  no_price: string | null;
  suggested_budget: number;
}

export interface Triples {
  state: "none" | "running" | "done" | "stopped" | "cancelled" | "failed";
  /** The same in words. */
  said: string;
  error: string | null;
  model: string | null;
  chunks: number;
  read: number;
  triples: number;
  token_budget: number | null;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
}

const at = (organizationId: string): string => `/api/v1/organizations/${organizationId}/triples`;

export const triples = {
  standing: (organizationId: string) => http.get<Triples>(at(organizationId)),
  estimate: (organizationId: string) => http.get<TripleEstimate>(`${at(organizationId)}/estimate`),
  start: (organizationId: string, token_budget: number) => http.post<Triples>(at(organizationId), { token_budget }),
  cancel: (organizationId: string) => http.post<Triples>(`${at(organizationId)}/cancel`),
  remove: (organizationId: string) => http.delete(at(organizationId)),
};
