// The frame of pages beside the conversations: what they are about, a title, and the way to their neighbours.
import type { ComponentChildren } from "preact";

export interface Tab {
  id: string;
  name: string;
  href: string;
}

interface Props {
  testId: string;
  eyebrow: string;
  title: string;
  tabs: Tab[];
  current: string;
  children: ComponentChildren;
}

export function Frame({ testId, eyebrow, title, tabs, current, children }: Props) {
  return (
    <div class="page-scroll" data-testid={testId}>
      <div class="page-column manage">
        <p class="empty-eyebrow">{eyebrow}</p>
        <h1>{title}</h1>
        {tabs.length > 1 && (
          <nav class="tabs" aria-label={title}>
            {tabs.map((tab) => (
              <a
                key={tab.id}
                class="tab"
                href={tab.href}
                aria-current={tab.id === current ? "page" : undefined}
                data-testid={`tab-${tab.id}`}
              >
                {tab.name}
              </a>
            ))}
          </nav>
        )}
        {children}
      </div>
    </div>
  );
}

export function NotYours() {
  return (
    <div class="notice">
      <h1>This page isn’t yours</h1>
      <p>It is for those who teach here, or administer the organization.</p>
      <a class="button" href="#/">
        To your courses
      </a>
    </div>
  );
}
