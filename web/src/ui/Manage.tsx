// What assistants may do in an organization: its connections, its rules, and what waits for somebody's yes.
import type { ComponentChildren } from "preact";
import { PAGE_NAMES, pages, teachesHere } from "../state/managing";
import { hrefOf, route, type ManagePage } from "../state/route";
import { me } from "../state/session";
import { ConnectionList } from "./ConnectionList";
import { ConnectionPage } from "./ConnectionPage";
import { Frame, NotYours } from "./Frame";
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
  const tabs = pages().map((id) => ({
    id,
    name: PAGE_NAMES[id],
    href: hrefOf({ name: "manage", courseId: here(), page: id, id: null }),
  }));
  return (
    <Frame
      testId={`manage-${page}`}
      eyebrow={me.value?.organization?.name ?? "This site"}
      title="What assistants may do"
      tabs={tabs}
      current={page}
    >
      {children}
    </Frame>
  );
}

/** The course that stays chosen beside the page. */
export function here(): string | null {
  return route.value.name === "home" ? null : route.value.courseId;
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
