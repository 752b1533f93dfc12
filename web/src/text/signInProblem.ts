// Why a sign-in through a provider has not come about: the server sends a code in the address, here are the words.

const WORDS: Record<string, string> = {
  sign_in_denied: "The sign-in was not allowed there. You can try again, or sign in another way.",
  sign_in_expired: "That sign-in took too long, or was begun in another window. Please try again.",
  unknown_provider: "This way of signing in does not exist any more.",
  issuer_silent: "The sign-in service does not answer right now. Please try again in a moment.",
  foreign_refused: "You have no account here yet. Please ask your administrator for one.",
  foreign_address_taken: "There is an account with your email address already. Sign in to it with its password.",
  suspended: "This account is suspended. Please ask your administrator.",
};

/** The words for the code in an address such as `/?error=suspended`; null when there is none. */
export function signInProblem(query: string): string | null {
  const code = new URLSearchParams(query).get("error");
  if (code === null) return null;
  return Object.hasOwn(WORDS, code) ? WORDS[code]! : "The sign-in did not work. Please try again.";
}
