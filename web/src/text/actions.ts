// What was done, in words: the audit's `thing.done` as a reader says it.

/** What can be asked for, by the beginning of an action. */
export const KINDS: Record<string, string> = {
  "account.": "Accounts",
  "account.sign_in": "Sign-ins",
  "account.refused": "Refused sign-ins from outside",
  "account.wrong_password": "Wrong passwords",
  "address.": "Addresses slowed down",
  "session.": "Sessions",
  "api_key.": "API keys",
  "membership.": "Memberships",
  "enrolment.": "Enrolments",
  "invitation.": "Invitations",
  "organization.": "Organizations",
  "project.": "Projects",
  "track.": "Tracks",
  "course.": "Courses",
  "lesson.": "Lessons",
  "quiz.": "Quizzes",
  "source.": "Material",
  "assistant.": "Assistants",
  "connection.": "Connections",
  "tool": "Tools",
};

const THINGS: Record<string, string> = { api_key: "API key", account: "Account", tool_rules: "Tool rules", golden_question: "Golden question" };
const DEEDS: Record<string, string> = {
  create: "made",
  change: "changed",
  remove: "removed",
  archive: "archived",
  restore: "restored",
  revoke: "ended",
  withdraw: "taken back",
  resend: "sent again",
  accept: "accepted",
  sign_in: "signed in",
  sign_up: "signed up",
  suspend: "suspended",
  delete: "deleted",
  link: "linked to a provider",
  unlink: "unlinked from a provider",
  verify_email: "address confirmed",
  change_password: "password changed",
  reset_password: "password set anew",
  wrong_password: "wrong password",
  refused_outside: "refused from outside",
  slowed: "slowed down",
  switch: "turned to another organization",
};

export function actionName(action: string): string {
  const [thing = "", deed = ""] = action.split(".");
  const name = THINGS[thing] ?? plain(thing);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} ${DEEDS[deed] ?? plain(deed)}`.trim();
}

function plain(word: string): string {
  return word.replaceAll("_", " ");
}
