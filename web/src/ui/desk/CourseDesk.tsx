// A course as those see it who teach or administer it: its people, and what happened in it in figures.
import { courseId } from "../../state/courses";
import { me } from "../../state/session";
import { DeskFrame } from "./DeskFrame";
import { Enrolments } from "./Enrolments";
import { FiguresPage } from "./Figures";

export function CourseDesk({ page }: { page: string }) {
  const id = courseId.value ?? "";
  return (
    <DeskFrame desk="course" page={page} eyebrow={me.value?.organization?.name ?? "Course"}>
      {(shown) => (
        <>
          {shown === "people" && <Enrolments key={id} courseId={id} />}
          {shown === "figures" && <FiguresPage key={id} place="courses" id={id} />}
        </>
      )}
    </DeskFrame>
  );
}
