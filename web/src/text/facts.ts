// The facts of a profile: those that have a field of their own, and what of an edited profile has to be sent.

export const EXPERIENCE: Record<string, string> = {
  "": "Not said",
  beginner: "Beginner",
  intermediate: "Intermediate",
  advanced: "Advanced",
  expert: "Expert",
};

export const HARDWARE: Record<string, string> = {
  "": "Not said",
  none: "None",
  laptop: "A laptop",
  gpu_workstation: "A workstation with a GPU",
  cloud: "Machines in a cloud",
  microcontroller: "A microcontroller",
  jetson: "A Jetson",
  robot: "A robot",
};

export const KNOWN_FACTS: readonly string[] = [
  "software_background",
  "hardware_background",
  "hardware_tier",
  "experience_level",
  "learning_goals",
  "preferred_language",
];

export type Facts = Record<string, string>;

/** A fact that people named themselves, while it is being written. */
export interface OwnFact {
  name: string;
  value: string;
}

export function ownFacts(profile: Facts): OwnFact[] {
  return Object.entries(profile)
    .filter(([name]) => !KNOWN_FACTS.includes(name))
    .map(([name, value]) => ({ name, value }));
}

/** A name as the server takes it: small letters, digits and underscores. */
export function factName(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, 40);
}

/** What differs from the profile as it is: null for what is gone. */
export function changedFacts(before: Facts, known: Facts, own: readonly OwnFact[]): Record<string, string | null> {
  const after: Facts = {};
  for (const name of KNOWN_FACTS) if (known[name]?.trim()) after[name] = known[name].trim();
  for (const { name, value } of own) if (factName(name) && value.trim()) after[factName(name)] = value.trim();
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => before[name] !== after[name]);
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]));
}
