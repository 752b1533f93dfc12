// One desk with its pages as tabs; who has no page at it is told so.
import "./desk.css";
import type { ComponentChildren } from "preact";
import { courseId } from "../../state/courses";
import { deskPages, deskTitle, pageName, pageOf } from "../../state/desks";
import { hrefOf, type Desk } from "../../state/route";
import { Frame, NotYours } from "../Frame";

interface Props {
  desk: Desk;
  /** As the address has it. */
  page: string;
  eyebrow: string;
  children: (page: string) => ComponentChildren;
}

export function DeskFrame({ desk, page: asked, eyebrow, children }: Props) {
  const page = pageOf(desk, asked);
  if (page === null) return <NotYours />;
  const tabs = deskPages(desk).map((id) => ({
    id,
    name: pageName(id),
    href: hrefOf({ name: "desk", courseId: courseId.value, desk, page: id }),
  }));
  return (
    <Frame testId={`${desk}-${page}`} eyebrow={eyebrow} title={deskTitle(desk)} tabs={tabs} current={page}>
      {children(page)}
    </Frame>
  );
}
