// What people are called by their role.
import type { Role } from "../api/types";

export const ROLES: Record<Role, string> = {
  student: "Student",
  teacher: "Teacher",
  organization_admin: "Organization admin",
  site_admin: "Site admin",
};

/** The roles that a membership can have. */
export const MEMBER_ROLES = { student: ROLES.student, teacher: ROLES.teacher, organization_admin: ROLES.organization_admin };
export const COURSE_ROLES = { student: ROLES.student, teacher: ROLES.teacher };
