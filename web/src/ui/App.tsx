// Chooses between signing in and the app, and lays the app out: rail, main part, panel.
import { useEffect } from "preact/hooks";
import { course, courseId, courses, coursesError, loadCourses } from "../state/courses";
import { conversation } from "../state/conversations";
import { mailed } from "../state/mailed";
import { panel } from "../state/panel";
import { invitationToken, route, type Desk } from "../state/route";
import { openSession, session } from "../state/session";
import { drawerOpen, narrow, online, railHidden, wide } from "../state/surroundings";
import { threads, titleOf } from "../state/threads";
import { Chat } from "./Chat";
import { deferred } from "./deferred";
import { useDelayed } from "./dom";
import { keepFocusInside } from "./focusTrap";
import { Icon, Mark } from "./Icon";
import { InvitationPage } from "./Invitation";
import { LessonList, LessonPage } from "./Lessons";
import { MailedPage } from "./Mailed";
import { Panel } from "./Panel";
import { Rail } from "./Rail";
import { ShortcutHelp } from "./Shortcuts";
import { SignInAgain, SignInPage } from "./SignIn";
import { StatusRegion, Toasts } from "./Toasts";

const ManagePart = deferred(() => import("./Manage").then((found) => found.ManagePart));
const DESKS = {
  account: deferred(() => import("./desk/AccountDesk").then((found) => found.AccountDesk)),
  course: deferred(() => import("./desk/CourseDesk").then((found) => found.CourseDesk)),
  organization: deferred(() => import("./desk/OrganizationDesk").then((found) => found.OrganizationDesk)),
};

export function App() {
  return (
    <>
      <Screen />
      <StatusRegion />
    </>
  );
}

function Screen() {
  if (invitationToken.value !== null && session.value !== "loading") return <InvitationPage token={invitationToken.value} />;
  if (mailed.value) return <MailedPage link={mailed.value} />;
  switch (session.value) {
    case "loading":
      return <Opening />;
    case "out":
      return <SignInPage />;
    case "unreachable":
      return <Unreachable />;
    case "in":
    case "expired":
      return <Shell />;
  }
}

function Opening() {
  const late = useDelayed();
  return (
    <main class="opening" aria-busy="true">
      {late && <Mark size={40} />}
    </main>
  );
}

function Unreachable() {
  return (
    <main class="opening">
      <div class="notice" role="alert">
        <h1>The server cannot be reached</h1>
        <p>
          {online.value ? "It may be starting or being updated." : "You are offline."} Your drafts are kept in this
          browser.
        </p>
        <button type="button" class="button" onClick={() => void openSession()}>
          Try again
        </button>
      </div>
    </main>
  );
}

function Shell() {
  const covered = session.value === "expired" || (panel.value !== null && !wide.value);
  const drawer = narrow.value;
  const showRail = drawer ? drawerOpen.value : !railHidden.value;
  useDrawerFocus(drawer && showRail);
  return (
    <div class={showRail && !drawer ? "shell with-rail" : "shell"}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the conversation
      </a>
      {drawer && showRail && (
        <div class="backdrop" onClick={() => (drawerOpen.value = false)} data-testid="drawer-backdrop" />
      )}
      {showRail && (
        <div
          class={drawer ? "rail-slot drawer" : "rail-slot"}
          inert={covered}
          onKeyDown={drawer ? keepFocusInside : undefined}
        >
          <Rail />
        </div>
      )}
      <main class="main" id="main" tabIndex={-1} inert={covered || (drawer && showRail)}>
        <TopBar railShown={showRail} />
        {!online.value && <OfflineBanner />}
        <MainPart />
      </main>
      <Panel />
      <Toasts />
      <ShortcutHelp />
      {session.value === "expired" && <SignInAgain />}
    </div>
  );
}

/** Into the drawer when it opens, back to its button when it closes. */
function useDrawerFocus(open: boolean): void {
  useEffect(() => {
    if (!open) return undefined;
    document.querySelector<HTMLElement>("[data-testid=hide-rail]")?.focus();
    return () => document.querySelector<HTMLElement>("[data-testid=show-rail]")?.focus();
  }, [open]);
}

function skip(event: Event): void {
  event.preventDefault();
  (document.getElementById("composer") ?? document.getElementById("main"))?.focus();
}

function TopBar({ railShown }: { railShown: boolean }) {
  const here = route.value;
  const thread = here.name === "thread" ? threads.value?.find((item) => item.id === here.threadId) : null;
  const title = thread ? titleOf(thread) : (course.value?.title ?? "");
  return (
    <header class="top-bar">
      {!railShown && (
        <button
          type="button"
          class="icon-button"
          aria-label="Show courses and conversations"
          data-testid="show-rail"
          onClick={() => (narrow.value ? (drawerOpen.value = true) : (railHidden.value = false))}
        >
          <Icon name="sidebar" />
        </button>
      )}
      {here.name === "thread" && (
        <h1 class="top-title" data-testid="conversation-title">
          {title}
        </h1>
      )}
    </header>
  );
}

function OfflineBanner() {
  return (
    <div class="banner" data-testid="offline-banner">
      <Icon name="warn" size={16} />
      <span>You are offline. Your draft is kept; sending is possible again when the network is back.</span>
    </div>
  );
}

function MainPart() {
  const here = route.value;
  if (coursesError.value && !courses.value) return <CoursesProblem />;
  if (here.name === "lessons") return <LessonList courseId={here.courseId} />;
  if (here.name === "lesson") return <LessonPage courseId={here.courseId} lessonId={here.lessonId} />;
  if (here.name === "manage") return <ManagePart page={here.page} id={here.id} />;
  if (here.name === "desk") return <DeskPart desk={here.desk} page={here.page} />;
  if (courses.value && courseId.value && !course.value) return <NoSuchCourse />;
  return conversation.value ? <Chat conversation={conversation.value} /> : null;
}

function DeskPart({ desk, page }: { desk: Desk; page: string }) {
  const Page = DESKS[desk];
  // Whose course it is comes with the courses.
  return desk === "course" && !courses.value ? null : <Page page={page} />;
}

function NoSuchCourse() {
  return (
    <div class="notice">
      <h1>This course isn’t here</h1>
      <p>It was removed, or you are not enrolled in it.</p>
      <a class="button" href="#/">
        To your courses
      </a>
    </div>
  );
}

function CoursesProblem() {
  return (
    <div class="notice" role="alert">
      <h1>Your courses could not be loaded</h1>
      <p>{coursesError.value}</p>
      <button type="button" class="button" onClick={() => void loadCourses()}>
        Try again
      </button>
    </div>
  );
}
