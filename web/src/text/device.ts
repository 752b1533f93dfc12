// Which program a session is in, in a few words, from how it calls itself. Only a help to recognize it.

const PROGRAMS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\/|Opera/, "Opera"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrom(e|ium)\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Macintosh|Mac OS X/, "macOS"],
  [/Linux|X11/, "Linux"],
];

export function deviceName(agent: string | null): string {
  if (!agent) return "Unknown program";
  const program = named(PROGRAMS, agent) ?? agent.split(/[\s/(]/)[0]?.slice(0, 40);
  const system = named(SYSTEMS, agent);
  return [program || "Unknown program", system].filter(Boolean).join(" on ");
}

function named(known: [RegExp, string][], agent: string): string | undefined {
  return known.find(([pattern]) => pattern.test(agent))?.[1];
}
