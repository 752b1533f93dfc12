// The left side: which course, which conversation, who is signed in.
import { about, me, signOut } from "../state/session";
import { courseId, course, courses } from "../state/courses";
import { toast } from "../state/notices";
import { go, hrefOf, route } from "../state/route";
import { drawerOpen, narrow, railHidden, theme, type Theme } from "../state/surroundings";
import { messageOf } from "../api/client";
import { firstPage, mayManage, teachesHere } from "../state/managing";
import { focusComposer } from "./dom";
import { Icon, Mark } from "./Icon";
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
      {courseId.value && (
        <a
          class="rail-link"
          href={hrefOf({ name: "lessons", courseId: courseId.value })}
          data-testid="lessons-link"
          aria-current={lessonsHere ? "page" : undefined}
          onClick={() => (drawerOpen.value = false)}
        >
          <Icon name="book" size={18} />
          Lessons
        </a>
      )}
      {courseId.value && teachesHere() && (
        <a
          class="rail-link"
          href={hrefOf({ name: "manage", courseId: courseId.value, page: "material", id: null })}
          data-testid="material-link"
          aria-current={materialHere ? "page" : undefined}
          onClick={() => (drawerOpen.value = false)}
        >
          <Icon name="upload" size={18} />
          Material
        </a>
      )}
      {mayManage() && (
        <a
          class="rail-link"
          href={hrefOf({ name: "manage", courseId: courseId.value, page: firstPage(), id: null })}
          data-testid="manage-link"
          aria-current={here.name === "manage" && !materialHere ? "page" : undefined}
          onClick={() => (drawerOpen.value = false)}
        >
          <Icon name="tools" size={18} />
          What assistants may do
        </a>
      )}
    </div>
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

const ROLES: Record<string, string> = {
  student: "Student",
  teacher: "Teacher",
  organization_admin: "Organization admin",
  site_admin: "Site admin",
};

function Account() {
  const items: MenuItem[] = THEMES.map((choice) => ({
    label: choice.label,
    checked: theme.value === choice.value,
    testId: `theme-${choice.value}`,
    run: () => (theme.value = choice.value),
  }));
  items.push({
    label: "Sign out",
    testId: "sign-out",
    run: () => void signOut().catch((error) => toast(`You are still signed in. ${messageOf(error)}`)),
  });
  const user = me.value?.user;
  const name = user?.name || user?.email || "";
  return (
    <footer class="rail-foot">
      <Menu label="Theme and sign out" named class="account" items={items} testId="account-menu" up>
        <span class="avatar" aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
        <span class="account-text">
          <span class="account-name">{name}</span>
          <span class="account-role">{ROLES[me.value?.role ?? ""] ?? user?.email}</span>
        </span>
        <Icon name="more" size={18} />
      </Menu>
    </footer>
  );
}
