// localStorage that never throws: a blocked or full storage only means that nothing is remembered.

const PREFIX = "famulus.";

export function remember(key: string, value: unknown): void {
  try {
    if (value === null || value === "") localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Kept in memory by the caller; lost on reload, which is the best that can be done.
  }
}

export function recall<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}
