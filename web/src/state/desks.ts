// The desks at which somebody looks after an account, a course or an organization, and the pages that each has for them.
import { course } from "./courses";
import { teachesHere } from "./managing";
import type { Desk, Route } from "./route";
import { me } from "./session";

const NAMES: Record<string, string> = {
  profile: "Profile",
  password: "Password",
  sessions: "Sessions",
  keys: "API keys",
  people: "People",
  invitations: "Invitations",
  import: "From a file",
  figures: "Figures",
  triples: "Knowledge graph",
  audit: "Audit",
  accounts: "All accounts",
  organizations: "All organizations",
  mails: "Outbox",
};

export function pageName(page: string): string {
  return NAMES[page] ?? page;
}

/** None where the desk is not theirs. */
export function deskPages(desk: Desk): string[] {
  switch (desk) {
    case "account":
      return ["profile", "password", "sessions", "keys"];
    case "course":
      return course.value && teachesHere() ? ["people", "figures"] : [];
    case "organization":
      return organizationPages();
  }
}

function organizationPages(): string[] {
  const { role, organization } = me.value ?? {};
  if (role !== "site_admin" && role !== "organization_admin") return [];
  const inside = organization ? ["people", "invitations", "import", "figures", "triples", "keys"] : [];
  return [...inside, "audit", ...(role === "site_admin" ? ["accounts", "organizations", "mails"] : [])];
}

/** The page that an address means: the first where it names none. */
export function pageOf(desk: Desk, page: string): string | null {
  const pages = deskPages(desk);
  return page === "" ? (pages[0] ?? null) : pages.includes(page) ? page : null;
}

export function deskTitle(desk: Desk): string {
  switch (desk) {
    case "account":
      return "Your account";
    case "course":
      return course.value?.title ?? "This course";
    case "organization":
      return me.value?.organization?.name ?? "This site";
  }
}

/** What the window is called while a page of a desk or of the managing is open. */
export function windowTitle(here: Route): string | null {
  if (here.name === "manage") return here.page === "material" ? "Material" : "What assistants may do";
  if (here.name !== "desk") return null;
  const page = pageOf(here.desk, here.page);
  return page && [pageName(page), deskTitle(here.desk)].join(" · ");
}
