// What an organization's people may manage of what its assistants do, and the pages of it that they have.
import type { ManagePage } from "./route";
import { course } from "./courses";
import { me } from "./session";

/** The pages of what assistants may do; the material is a course's own. */
export const PAGE_NAMES: Record<ManagePage, string> = {
  material: "Material",
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

/** Whether the person teaches the open course, or administers where it is. */
export function teachesHere(): boolean {
  const role = course.value?.my_role ?? "student";
  return role !== "student";
}

export function mayManage(): boolean {
  return pages().length > 0;
}

export function firstPage(): ManagePage {
  return pages()[0] ?? "waiting";
}
