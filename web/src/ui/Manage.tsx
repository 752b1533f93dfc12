// What assistants may do in an organization: its connections, its rules, and what waits for somebody's yes.
import type { ComponentChildren } from "preact";
import { PAGE_NAMES, pages, teachesHere } from "../state/managing";
import { hrefOf, route, type ManagePage } from "../state/route";
import { me } from "../state/session";
import { ConnectionList } from "./ConnectionList";
import { ConnectionPage } from "./ConnectionPage";
import { useDelayed } from "./dom";
import { Material } from "./Material";
import { ToolRules } from "./ToolRules";
import { WaitingCalls } from "./WaitingCalls";

export function ManagePart({ page, id }: { page: ManagePage; id: string | null }) {
  const organization = me.value?.organization;
  const courseId = here();
  if (page === "material" && courseId) return teachesHere() ? <Material key={courseId} courseId={courseId} /> : <NotYours />;
  if (!pages().includes(page)) return <NotYours />;
  if (!organization && page !== "waiting") return <NoOrganization />;
  const place = organization?.id ?? "";
  if (page === "connections" && id) return <ConnectionPage key={id} id={id} />;
  return (
    <ManageFrame page={page}>
      {page === "connections" && <ConnectionList organizationId={place} />}
      {page === "rules" && <ToolRules organizationId={place} />}
      {page === "waiting" && <WaitingCalls />}
    </ManageFrame>
  );
}

function ManageFrame({ page, children }: { page: ManagePage; children: ComponentChildren }) {
  return (
    <div class="page-scroll" data-testid={`manage-${page}`}>
      <div class="page-column manage">
        <p class="empty-eyebrow">{me.value?.organization?.name ?? "This site"}</p>
        <h1>What assistants may do</h1>
        {pages().length > 1 && (
          <nav class="tabs" aria-label="What assistants may do">
            {pages().map((each) => (
              <a
                key={each}
                class="tab"
                href={hrefOf({ name: "manage", courseId: here(), page: each, id: null })}
                aria-current={each === page ? "page" : undefined}
                data-testid={`tab-${each}`}
              >
                {PAGE_NAMES[each]}
              </a>
            ))}
          </nav>
        )}
        {children}
      </div>
    </div>
  );
}

/** The course that stays chosen beside the page. */
export function here(): string | null {
  return route.value.name === "home" ? null : route.value.courseId;
}

/** Why something is not shown, with a way to try again; or a sign that it is on its way. */
export function Loading({ what, problem, again }: { what: string; problem: string | null; again: () => void }) {
  const late = useDelayed();
  if (problem)
    return (
      <p class="quiet" role="alert" data-testid="load-problem">
        {what} could not be loaded. {problem}{" "}
        <button type="button" class="link" onClick={again}>
          Try again
        </button>
      </p>
    );
  return (
    <div aria-busy="true">
      {late && [60, 72, 48].map((width) => <div key={width} class="skeleton" style={{ width: `${width}%` }} />)}
    </div>
  );
}

/** What the server has against something, where somebody has just pressed a button. */
export function Problems({ problems }: { problems: string[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="approval-problem" role="alert" data-testid="manage-problem">
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
    </div>
  );
}

function NotYours() {
  return (
    <div class="notice">
      <h1>This page isn’t yours</h1>
      <p>It is for those who teach here, or administer the organization.</p>
      <a class="button" href="#/">
        To your courses
      </a>
    </div>
  );
}

function NoOrganization() {
  return (
    <div class="notice">
      <h1>No organization is open</h1>
      <p>Connections and rules belong to an organization. Sign in as a member of one.</p>
      <a class="button" href="#/">
        To your courses
      </a>
    </div>
  );
}
