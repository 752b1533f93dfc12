// The left side: which course, which conversation, who is signed in.
import type { ComponentChildren } from "preact";
import { about, me, signOut } from "../state/session";
import { courseId, course, courses } from "../state/courses";
import { toast } from "../state/notices";
import { go, hrefOf, route, type Desk, type Route } from "../state/route";
import { drawerOpen, narrow, railHidden, theme, type Theme } from "../state/surroundings";
import { messageOf } from "../api/client";
import { deskPages } from "../state/desks";
import { firstPage, mayManage, teachesHere } from "../state/managing";
import { ROLES } from "../text/roles";
import { focusComposer } from "./dom";
import { Icon, Mark, type IconName } from "./Icon";
import { Menu, type MenuItem } from "./Menu";
import { ThreadList, ThreadSearch } from "./ThreadList";

export function Rail() {
  return (
    <nav class="rail" aria-label="Courses and conversations" data-testid="rail">
      <header class="rail-head">
        <a class="brand" href="#/">
          <Mark size={22} />
          <span>{about.value?.name ?? "Famulus"}</span>
        </a>
        <button
          type="button"
          class="icon-button"
          onClick={hideRail}
          aria-label="Hide the side bar"
          data-testid="hide-rail"
        >
          <Icon name="sidebar" />
        </button>
      </header>
      <CourseSwitcher />
      <RailLinks />
      <ThreadSearch />
      <ThreadList />
      <Account />
    </nav>
  );
}

function hideRail(): void {
  if (narrow.value) drawerOpen.value = false;
  else railHidden.value = true;
}

export function startThread(): void {
  drawerOpen.value = false;
  go({ name: "new", courseId: courseId.value });
  requestAnimationFrame(focusComposer);
}

function RailLinks() {
  const here = route.value;
  const course = courseId.value;
  const at = (desk: Desk): boolean => here.name === "desk" && here.desk === desk;
  const materialHere = here.name === "manage" && here.page === "material";
  const lessonsHere = here.name === "lessons" || here.name === "lesson";
  return (
    <div class="rail-links">
      <button
        type="button"
        class="rail-link"
        onClick={startThread}
        data-testid="new-thread"
        aria-keyshortcuts="Control+Shift+O"
        aria-current={here.name === "new" ? "page" : undefined}
      >
        <Icon name="plus" size={18} />
        New conversation
      </button>
      {course && (
        <RailLink to={{ name: "lessons", courseId: course }} here={lessonsHere} icon="book" testId="lessons-link">
          Lessons
        </RailLink>
      )}
      {course && teachesHere() && (
        <RailLink to={{ name: "manage", courseId: course, page: "material", id: null }} here={materialHere} icon="upload" testId="material-link">
          Material
        </RailLink>
      )}
      {course && deskPages("course").length > 0 && (
        <RailLink to={{ name: "desk", courseId: course, desk: "course", page: "" }} here={at("course")} icon="people" testId="course-link">
          People and figures
        </RailLink>
      )}
      {mayManage() && (
        <RailLink
          to={{ name: "manage", courseId: course, page: firstPage(), id: null }}
          here={here.name === "manage" && !materialHere}
          icon="tools"
          testId="manage-link"
        >
          What assistants may do
        </RailLink>
      )}
      {deskPages("organization").length > 0 && (
        <RailLink to={{ name: "desk", courseId: course, desk: "organization", page: "" }} here={at("organization")} icon="house" testId="organization-link">
          {me.value?.organization ? "Organization" : "Site"}
        </RailLink>
      )}
    </div>
  );
}

interface RailLinkProps {
  to: Route;
  here: boolean;
  icon: IconName;
  testId: string;
  children: ComponentChildren;
}

function RailLink({ to, here, icon, testId, children }: RailLinkProps) {
  return (
    <a
      class="rail-link"
      href={hrefOf(to)}
      data-testid={testId}
      aria-current={here ? "page" : undefined}
      onClick={() => (drawerOpen.value = false)}
    >
      <Icon name={icon} size={18} />
      {children}
    </a>
  );
}

function CourseSwitcher() {
  const general = courseId.value === null;
  const items: MenuItem[] = (courses.value ?? []).map((item) => ({
    label: item.title,
    detail: organizationOf(item.organization_id),
    checked: item.id === courseId.value,
    testId: "course-item",
    run: () => go({ name: "new", courseId: item.id }),
  }));
  items.push({
    label: "Outside any course",
    detail: "General questions",
    checked: general,
    testId: "course-item",
    run: () => go({ name: "new", courseId: null }),
  });
  const title = general ? "Outside any course" : (course.value?.title ?? "Course");
  return (
    <Menu label="Courses" named class="course-switcher" items={items} testId="course-switcher">
      <span class="visually-hidden">Course:</span>
      <span class="course-switcher-text">
        <span class="course-switcher-title" data-testid="course-title">
          {title}
        </span>
        <span class="course-switcher-detail">
          {general ? "General questions" : organizationOf(course.value?.organization_id)}
        </span>
      </span>
      <Icon name="chevron" size={18} />
    </Menu>
  );
}

function organizationOf(id: string | undefined): string {
  return me.value?.memberships.find((item) => item.organization.id === id)?.organization.name ?? "Course";
}

const THEMES: { value: Theme; label: string }[] = [
  { value: "system", label: "Theme of the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

function Account() {
  const items: MenuItem[] = [
    {
      label: "Your account",
      testId: "account-link",
      run: () => go({ name: "desk", courseId: courseId.value, desk: "account", page: "" }),
    },
    ...THEMES.map((choice) => ({
      label: choice.label,
      checked: theme.value === choice.value,
      testId: `theme-${choice.value}`,
      run: () => (theme.value = choice.value),
    })),
  ];
  items.push({
    label: "Sign out",
    testId: "sign-out",
    run: () => void signOut().catch((error) => toast(`You are still signed in. ${messageOf(error)}`)),
  });
  const user = me.value?.user;
  const name = user?.name || user?.email || "";
  return (
    <footer class="rail-foot">
      <Menu label="Account, theme and sign out" named class="account" items={items} testId="account-menu" up>
        <span class="avatar" aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
        <span class="account-text">
          <span class="account-name">{name}</span>
          <span class="account-role">{(me.value?.role && ROLES[me.value.role]) ?? user?.email}</span>
        </span>
        <Icon name="more" size={18} />
      </Menu>
    </footer>
  );
}
