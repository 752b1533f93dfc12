// What an organization's people may manage of what its assistants do, and the pages of it that they have.
import type { ManagePage } from "./route";
import { me } from "./session";

export const PAGE_NAMES: Record<ManagePage, string> = {
  connections: "Connections",
  rules: "Rules",
  waiting: "Waiting for a yes",
};

export function pages(): ManagePage[] {
  switch (me.value?.role) {
    case "site_admin":
    case "organization_admin":
      return ["connections", "rules", "waiting"];
    case "teacher":
      return ["waiting"];
    default:
      return [];
  }
}

export function mayManage(): boolean {
  return pages().length > 0;
}

export function firstPage(): ManagePage {
  return pages()[0] ?? "waiting";
}
