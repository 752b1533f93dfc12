// The few signs of the interface, drawn as strokes in the colour of the text around them.

const PATHS = {
  arrowDown: "M12 5v14M6 13l6 6 6-6",
  back: "M15 5l-7 7 7 7",
  book: "M12 20c-2.2-1.7-5-2.5-8.5-2.500V5.500c3.5 0 6.3.8 8.5 2.5 2.2-1.7 5-2.5 8.5-2.500v12c-3.5 0-6.3.8-8.5 2.500zM12 8v12",
  check: "M5 12.500l4.5 4.500L19 7.5",
  chevron: "M8 10l4 4 4-4",
  clip: "M19 11.500l-7.200 7.200a4.500 4.500 0 0 1-6.400-6.400l7.800-7.800a3 3 0 0 1 4.300 4.300l-7.700 7.700a1.500 1.500 0 0 1-2.100-2.100l7-7",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  file: "M6 3.500h8l4.500 4.500v12.500H6zM14 3.500V8h4.500M9 12.500h6M9 16h6",
  house: "M4 20.500h16M6 20.500V9.500l6-5 6 5v11M10 20.500v-5h4v5",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  people: "M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 19.500c.8-3 3.300-4.500 6.500-4.500s5.700 1.500 6.500 4.500M15.500 4.800a3.500 3.500 0 0 1 0 6.400M18 15.400c1.800.7 3 2 3.500 4.100",
  plus: "M12 5v14M5 12h14",
  retry: "M19 12a7 7 0 1 1-2.2-5.100M19 4v4h-4",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  send: "M12 19V5M6 11l6-6 6 6",
  sidebar: "M4 5h16v14H4zM9.5 5v14",
  stop: "M7 7h10v10H7z",
  thumbDown: "M7 4v9M10 13l2.500 6.500c1.600 0 2.500-1 2.500-2.500v-3h4.200l-1.200-8.300c-.1-1-.8-1.700-1.800-1.700H7",
  thumbUp: "M7 20v-9M10 11l2.500-6.500c1.600 0 2.500 1 2.500 2.500v3h4.200l-1.200 8.300c-.1 1-.8 1.700-1.800 1.700H7",
  tools: "M4 7h10M18 7h2M4 17h2M10 17h10M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13",
  upload: "M12 15V4M7 8l5-5 5 5M5 20h14",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-3.5 4-5 7.5-5s6.5 1.5 7.5 5",
  warn: "M12 4l9 16H3zM12 10v4.500M12 17.300h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class={`icon icon-${name}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A reader behind an open book. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="5.6" r="2.6" />
      <path d="M12 20.400c-2.2-1.8-5-2.7-8.6-2.700v-7.300c3.6 0 6.4.9 8.6 2.7 2.2-1.8 5-2.7 8.6-2.700v7.300c-3.6 0-6.4.9-8.6 2.700zM12 13.100v7.3" />
    </svg>
  );
}
