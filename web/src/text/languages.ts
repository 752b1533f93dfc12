// The languages that mails are written in, each by its own name.

const LANGUAGES: Record<string, string> = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };

/** To choose from; a language of the person's own stays among them. */
export function languageChoices(current: string): Record<string, string> {
  return current in LANGUAGES ? LANGUAGES : { ...LANGUAGES, [current]: nameOf(current) };
}

function nameOf(tag: string): string {
  try {
    return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
