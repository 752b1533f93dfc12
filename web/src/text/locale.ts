// The language of one's surroundings, as the server takes it.

const TAG = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/;

/** Some systems have browsers say `en-US@posix`, which is no language tag. */
export function localeOf(said: string): string {
  const tag = said.split(/[@._]/)[0] ?? "";
  return TAG.test(tag) ? tag : "en";
}
