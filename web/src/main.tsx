// Starts the app: surroundings, address and session first, then what depends on who is signed in.
import { computed, effect, untracked } from "@preact/signals";
import { render } from "preact";
import { conversation, followFeed, followRoute, subject } from "./state/conversations";
import { course, courseId, courses, loadCourses, rememberCourse, startingCourse } from "./state/courses";
import { windowTitle } from "./state/desks";
import { takeMailedLink } from "./state/mailed";
import { dropPanel, openPassage } from "./state/panel";
import { go, invitationToken, linkedPassage, route, startRouting } from "./state/route";
import { openSession, session } from "./state/session";
import { drawerOpen, observeSurroundings } from "./state/surroundings";
import { deleteOnLeave, loadThreads, search, threads, titleOf } from "./state/threads";
import { App } from "./ui/App";
import { listenForKeys } from "./ui/Shortcuts";
import "./styles/index.css";

function start(): void {
  observeSurroundings();
  takeMailedLink();
  startRouting();
  listenForKeys();
  deleteOnLeave();
  render(<App />, document.getElementById("app")!);
  const stopWaiting = effect(() => {
    if (session.value !== "in" || invitationToken.value !== null) return;
    untracked(() => queueMicrotask(() => stopWaiting()));
    untracked(enter);
  });
  void openSession();
}

/** Everything that needs a person; a session that expires and is renewed does not do it again. */
function enter(): void {
  void loadCourses();
  followFeed();
  followRoute();
  effect(() => {
    if (route.value.name !== "home" || !courses.value) return;
    untracked(() => go({ name: "new", courseId: startingCourse() }, true));
  });
  // undefined on the way to the first course; the list is loaded once per course, not per address.
  const scope = computed(() => (route.value.name === "home" ? undefined : courseId.value));
  effect(() => {
    const id = scope.value;
    if (id === undefined) return;
    untracked(() => enterCourse(id));
  });
  effect(() => {
    void conversation.value;
    untracked(dropPanel);
  });
  effect(() => {
    void route.value;
    untracked(() => (drawerOpen.value = false));
  });
  effect(() => {
    // After the first conversation stands, whose arrival closes any panel.
    if (route.value.name === "home" || !linkedPassage.value) return;
    const id = linkedPassage.value;
    untracked(() => setTimeout(() => openLinkedPassage(id)));
  });
  effect(nameTheWindow);
}

function openLinkedPassage(id: string): void {
  linkedPassage.value = null;
  const cited = { number: 0, passage_id: id, title: "", heading_path: [], lesson_id: null };
  openPassage(cited, document.body);
}

function enterCourse(id: string | null): void {
  rememberCourse(id);
  search.value = "";
  if (subject.value?.course_id !== id) subject.value = null;
  void loadThreads(id);
}

function nameTheWindow(): void {
  const here = route.value;
  const thread = here.name === "thread" ? threads.value?.find((item) => item.id === here.threadId) : null;
  const parts = [thread && titleOf(thread), windowTitle(here) ?? course.value?.title, "Famulus"].filter(Boolean);
  document.title = parts.join(" · ");
}

start();
