// The address is the hash, so that the server needs no rule for deep links:
//   #/c/<course|general>   ·   …/t/<thread>   ·   …/lessons   ·   …/lessons/<lesson>   ·   …/manage/<page>/<connection>
//   …/<desk>/<page>, beside which the course stays chosen
import { signal } from "@preact/signals";

/** What there is to manage: what assistants may do, and the material of a course. */
export type ManagePage = "connections" | "rules" | "waiting" | "material";
const PAGES: readonly string[] = ["connections", "rules", "waiting", "material"];

/** Where one looks after things that are not conversations: one's own account, the course, the organization. */
export type Desk = "account" | "course" | "organization";
const DESKS: readonly string[] = ["account", "course", "organization"];

export type Route =
  | { name: "home" }
  | { name: "new"; courseId: string | null }
  | { name: "thread"; courseId: string | null; threadId: string }
  | { name: "lessons"; courseId: string }
  | { name: "lesson"; courseId: string; lessonId: string }
  | { name: "manage"; courseId: string | null; page: ManagePage; id: string | null }
  | { name: "desk"; courseId: string | null; desk: Desk; page: string };

export const route = signal<Route>({ name: "home" });

export function parseRoute(hash: string): Route {
  const [, c, course, section, id, part] = hash.replace(/^#/, "").split("/").map(decodeURIComponent);
  if (c !== "c" || !course) return { name: "home" };
  const courseId = course === "general" ? null : course;
  if (section === "t" && id) return { name: "thread", courseId, threadId: id };
  if (section === "lessons" && courseId) {
    return id ? { name: "lesson", courseId, lessonId: id } : { name: "lessons", courseId };
  }
  if (section === "manage") {
    const page = PAGES.includes(id ?? "") ? (id as ManagePage) : "connections";
    return { name: "manage", courseId, page, id: part || null };
  }
  if (DESKS.includes(section ?? "")) return { name: "desk", courseId, desk: section as Desk, page: id ?? "" };
  return { name: "new", courseId };
}

export function hrefOf(to: Route): string {
  if (to.name === "home") return "#/";
  const course = `#/c/${to.courseId ?? "general"}`;
  switch (to.name) {
    case "new":
      return course;
    case "thread":
      return `${course}/t/${to.threadId}`;
    case "lessons":
      return `${course}/lessons`;
    case "lesson":
      return `${course}/lessons/${to.lessonId}`;
    case "manage":
      return `${course}/manage/${to.page}${to.id ? `/${to.id}` : ""}`;
    case "desk":
      return `${course}/${to.desk}${to.page ? `/${to.page}` : ""}`;
  }
}

export function go(to: Route, replace = false): void {
  if (replace) history.replaceState(null, "", hrefOf(to));
  else if (location.hash !== hrefOf(to)) history.pushState(null, "", hrefOf(to));
  route.value = to;
}

/** The passage that a link from outside asks for; opened once the app stands. */
export const linkedPassage = signal<string | null>(null);

/** Citations carry plain addresses, for people who read them elsewhere; here they become ours. */
export function fromLink(path: string): { hash: string; passageId: string | null } | null {
  const lesson = /^\/courses\/([\w-]+)\/lessons\/([\w-]+)$/.exec(path);
  if (lesson) return { hash: hrefOf({ name: "lesson", courseId: lesson[1]!, lessonId: lesson[2]! }), passageId: null };
  const passage = /^\/passages\/([\w-]+)$/.exec(path);
  return passage ? { hash: "#/", passageId: passage[1]! } : null;
}

/** What stands in the link of an invitation; it leaves the address at once, so that it is not shared by accident. */
export const invitationToken = signal<string | null>(null);

function takeInvitation(): void {
  if (location.pathname !== "/invitation") return;
  invitationToken.value = new URLSearchParams(location.search).get("token") ?? "";
  history.replaceState(null, "", "/invitation");
}

/** The invitation has been taken or left; the app goes on where it usually begins. */
export function leaveInvitation(): void {
  invitationToken.value = null;
  history.replaceState(null, "", "/#/");
  route.value = parseRoute("#/");
}

export function startRouting(): void {
  takeInvitation();
  const link = fromLink(location.pathname);
  if (link) {
    linkedPassage.value = link.passageId;
    history.replaceState(null, "", `/${link.hash}`);
  }
  const read = (): void => {
    // In-page anchors are not addresses of ours.
    if (location.hash === "" || location.hash.startsWith("#/")) route.value = parseRoute(location.hash);
  };
  window.addEventListener("popstate", read);
  window.addEventListener("hashchange", read);
  read();
}
