"""What a roster means for an organization as it is: a plan, and a report line by line. Pure.

A line is done whole or not at all. Later lines see what earlier ones bring about, so that a person may come several
times, once for each course.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from famulus.campus.models import CourseRole, MemberRole
from famulus.campus.roster import Line, Roster
from famulus.campus.schemas.rosters import LineReport, Outcome
from famulus.identity.addresses import AddressNotVerified
from famulus.identity.directory import Newcomer, new_user_id
from famulus.kernel.text import fold

FAILURES: frozenset[Outcome] = frozenset(
    {"invalid", "unknown_course", "archived_course", "not_verified", "not_a_teacher", "last_admin"}
)


@dataclass(slots=True)
class Known:
    """How things stand; what the plan brings about is added as it is made."""

    accounts: dict[str, tuple[str, str]]
    """Id and name by address."""
    unproven: set[str]
    """The addresses of accounts that do not stand for them."""
    roles: dict[str, MemberRole]
    """By person."""
    courses: dict[str, str]
    """Ids, by id and by folded title."""
    archived: frozenset[str]
    """Ids of those among them to which nothing can be added."""
    enrolled: dict[str, dict[str, CourseRole]]
    """What people are in courses, by person."""
    admins: int
    """How many administer the organization."""


class _Refused(Exception):
    def __init__(self, outcome: Outcome, detail: str) -> None:
        self.outcome: Outcome = outcome
        self.detail = detail
        super().__init__(detail)


@dataclass(slots=True)
class Plan:
    """What is to be done, and what is to be said of it."""

    known: Known
    update: bool
    newcomers: list[Newcomer] = field(default_factory=list[Newcomer])
    memberships: dict[str, tuple[str, MemberRole]] = field(default_factory=dict[str, tuple[str, MemberRole]])
    """Name and role of the members to be, by person."""
    roles: dict[str, tuple[MemberRole, MemberRole]] = field(
        default_factory=dict[str, tuple[MemberRole, MemberRole]]
    )
    """Members who get another role, with both."""
    enrolments: dict[tuple[str, str], tuple[str, CourseRole]] = field(
        default_factory=dict[tuple[str, str], tuple[str, CourseRole]]
    )
    """Name and role of who is to be in a course, by person and course."""
    course_roles: dict[tuple[str, str], tuple[CourseRole, CourseRole]] = field(
        default_factory=dict[tuple[str, str], tuple[CourseRole, CourseRole]]
    )
    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    problems: list[LineReport] = field(default_factory=list[LineReport])
    remarks: list[LineReport] = field(default_factory=list[LineReport])
    _said: dict[str, tuple[int, MemberRole]] = field(default_factory=dict[str, tuple[int, MemberRole]])
    """The line that first gave a person a role, and the role."""

    @property
    def failed(self) -> int:
        """How many lines cannot be done."""
        return sum(self.outcomes[outcome] for outcome in FAILURES)

    def read(self, roster: Roster) -> None:
        """Take in every line, in the order of the file."""
        for bad in roster.bad:
            self._tell(self.problems, bad.number, bad.who, "invalid", bad.detail)
            self.outcomes["invalid"] += 1
        for line in roster.lines:
            try:
                outcome = self._take(line)
            except _Refused as refused:
                outcome = refused.outcome
                self._tell(self.problems, line.number, line.email, outcome, refused.detail)
            self.outcomes[outcome] += 1
        self.problems.sort(key=lambda report: report.line)

    def _take(self, line: Line) -> Outcome:
        """What a line brings about. Everything that may be wrong with it is asked before anything is noted."""
        found = self.known.accounts.get(line.email)
        user_id, name = found or (new_user_id(), line.name or line.email.partition("@")[0])
        current = self.known.roles.get(user_id)
        role, kept = self._role(line, user_id, current)
        course_id = self._course(line)
        course_role, course_kept = self._course_role(line, user_id, course_id, role)
        if line.email in self.known.unproven:
            self._require_no_change(user_id, role, course_id, course_role)
        done: list[Outcome] = []
        if found is None:
            self.newcomers.append(Newcomer(user_id, line.email, name))
            self.known.accounts[line.email] = (user_id, name)
            done.append("created")
        if current is None:
            self.memberships[user_id] = (name, role)
            done.append("added")
        elif role != current:
            self._change_role(user_id, current, role)
            done.append("changed")
        self.known.roles[user_id] = role
        self.known.admins += (role == "organization_admin") - (current == "organization_admin")
        if line.role is not None:
            self._said.setdefault(user_id, (line.number, line.role))
        if course_id is not None:
            done += self._enrol((user_id, course_id), name, course_role)
        for remark in filter(None, (kept, course_kept)):
            self._tell(self.remarks, line.number, line.email, "unchanged", remark)
        return done[0] if done else "unchanged"

    def _role(self, line: Line, user_id: str, current: MemberRole | None) -> tuple[MemberRole, str | None]:
        """The role a person is to have, and a remark where it is not the one the line wishes for."""
        if current is None:
            return line.role or "student", None
        if line.role is None or line.role == current:
            return current, None
        said = self._said.get(user_id)
        if said is not None and said[1] != line.role:
            raise _Refused("invalid", f"Line {said[0]} gives this person the role {said[1]}.")
        if not self.update:
            return current, f"This person is {current} here; `update=true` makes it {line.role}."
        if current == "organization_admin" and self.known.admins == 1:
            raise _Refused("last_admin", "Nobody else administers this organization.")
        return line.role, None

    def _course(self, line: Line) -> str | None:
        if line.course is None:
            return None
        found = self.known.courses.get(line.course) or self.known.courses.get(fold(line.course))
        if found is None:
            raise _Refused("unknown_course", f"The organization has no course {line.course!r}.")
        if found in self.known.archived:
            raise _Refused(
                "archived_course", f"The course {line.course!r} is archived; restore it before you add to it."
            )
        return found

    def _course_role(
        self, line: Line, user_id: str, course_id: str | None, role: MemberRole
    ) -> tuple[CourseRole, str | None]:
        current = self.known.enrolled.get(user_id, {}).get(course_id or "")
        wanted = line.course_role or current or "student"
        if role == "student" and wanted == "teacher":
            if line.course_role == "teacher":
                raise _Refused(
                    "not_a_teacher", "Only a member with the role teacher or organization_admin can teach."
                )
            wanted = "student"
        if current is not None and wanted != current and line.course_role is not None and not self.update:
            return current, f"This person is in the course as {current}; `update=true` makes it {wanted}."
        return wanted, None

    def _require_no_change(
        self, user_id: str, role: MemberRole, course_id: str | None, course_role: CourseRole
    ) -> None:
        """Nothing comes to an account by an address that may not be its owner's; what is so may be said again."""
        here = course_id is None or self.known.enrolled.get(user_id, {}).get(course_id) == course_role
        if self.known.roles.get(user_id) != role or not here:
            raise _Refused("not_verified", AddressNotVerified.__doc__ or "")

    def _change_role(self, user_id: str, current: MemberRole, role: MemberRole) -> None:
        if user_id in self.memberships:
            self.memberships[user_id] = (self.memberships[user_id][0], role)
        else:
            before = self.roles.get(user_id, (current, role))[0]
            self.roles[user_id] = (before, role)
        if role == "student":  # whoever is a student teaches nothing any more
            self.known.enrolled[user_id] = dict.fromkeys(self.known.enrolled.get(user_id, {}), "student")

    def _enrol(self, key: tuple[str, str], name: str, role: CourseRole) -> list[Outcome]:
        user_id, course_id = key
        here = self.known.enrolled.setdefault(user_id, {})
        current = here.get(course_id)
        if current == role:
            return []
        here[course_id] = role
        if current is None or key in self.enrolments:
            self.enrolments[key] = (name, role)
            return ["enrolled"]
        self.course_roles[key] = (self.course_roles.get(key, (current, role))[0], role)
        return ["changed"]

    def _tell(self, reports: list[LineReport], line: int, who: str, outcome: Outcome, detail: str) -> None:
        reports.append(LineReport(line=line, who=who, outcome=outcome, detail=detail))


def courses_named(lines: Iterable[Line]) -> tuple[set[str], set[str]]:
    """What a roster calls its courses, as ids and as folded titles."""
    names = {line.course for line in lines if line.course is not None}
    return names, {fold(name) for name in names}
