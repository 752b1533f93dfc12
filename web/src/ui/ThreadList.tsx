// Conversations grouped by time; older pages come when the end is reached.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Thread } from "../api/types";
import { courseId } from "../state/courses";
import { hrefOf, route } from "../state/route";
import { drawerOpen, now } from "../state/surroundings";
import {
  deleteThread,
  found,
  loadMoreThreads,
  loadThreads,
  nextPage,
  renameThread,
  search,
  searchFor,
  threads,
  threadsBusy,
  threadsError,
  titleOf,
} from "../state/threads";
import { bareText } from "../text/bare";
import { age, clockTime, groupByTime } from "../text/time";
import { exportThread } from "./exportThread";
import { useDelayed } from "./dom";
import { Icon } from "./Icon";
import { Menu } from "./Menu";

export function ThreadSearch() {
  return (
    <div class="thread-search">
      <Icon name="search" size={16} />
      <input
        id="thread-search"
        type="search"
        placeholder="Search conversations"
        aria-label="Search conversations"
        aria-keyshortcuts="Control+K Meta+K"
        value={search.value}
        data-testid="thread-search"
        onInput={(event) => void searchFor(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || search.value === "") return;
          event.stopPropagation();
          search.value = "";
        }}
      />
      <kbd class="hint" aria-hidden="true">
        {/Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"}
      </kbd>
    </div>
  );
}

export function ThreadList() {
  if (threadsError.value && !threads.value) return <ListProblem text={threadsError.value} />;
  if (!threads.value) return <Waiting />;
  const groups = groupByTime(found.value, now.value);
  return (
    <div class="thread-list" data-testid="thread-list">
      {groups.map((group) => (
        <section key={group.label} aria-label={group.label}>
          <h2 class="thread-group">{group.label}</h2>
          <ul>
            {group.threads.map((thread) => (
              <ThreadItem key={thread.id} thread={thread} />
            ))}
          </ul>
        </section>
      ))}
      {groups.length === 0 && <p class="thread-none">{search.value ? noMatch() : "No conversations yet."}</p>}
      {nextPage.value && <More />}
    </div>
  );
}

function noMatch(): string {
  return nextPage.value ? "No match among the conversations loaded so far." : "No conversation matches.";
}

function More() {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((seen) => {
      if (seen.some((item) => item.isIntersecting) && search.peek() === "") void loadMoreThreads();
    });
    if (button.current) observer.observe(button.current);
    return () => observer.disconnect();
  }, [nextPage.value]);
  return (
    <button
      ref={button}
      type="button"
      class="link thread-more"
      disabled={threadsBusy.value}
      onClick={() => void loadMoreThreads()}
      data-testid="more-threads"
    >
      {threadsBusy.value ? "Loading…" : "Show older conversations"}
    </button>
  );
}

function ThreadItem({ thread }: { thread: Thread }) {
  const [renaming, setRenaming] = useState(false);
  const here = route.value;
  const current = here.name === "thread" && here.threadId === thread.id;
  if (renaming) return <Rename thread={thread} done={() => setRenaming(false)} />;
  return (
    <li
      class={current ? "thread current" : "thread"}
      data-testid="thread-item"
      data-thread={thread.id}
      data-live={thread.live_run_id ? "true" : undefined}
    >
      <ThreadLink thread={thread} current={current} />
      <ThreadMenu thread={thread} rename={() => setRenaming(true)} />
    </li>
  );
}

function ThreadLink({ thread, current }: { thread: Thread; current: boolean }) {
  const title = titleOf(thread);
  return (
    <a
      class="thread-link"
      aria-current={current ? "page" : undefined}
      onClick={() => (drawerOpen.value = false)}
      href={hrefOf({ name: "thread", courseId: thread.course_id, threadId: thread.id })}
    >
      <span class="thread-title" data-testid="thread-title">
        {title}
      </span>
      <span class="thread-below">
        <span class="thread-preview">{thread.preview && thread.preview !== title ? bareText(thread.preview) : ""}</span>
        {thread.live_run_id ? (
          <span class="live-dot" title="An answer is being written" />
        ) : (
          <time class="thread-time" dateTime={thread.updated_at} title={clockTime(thread.updated_at)}>
            {age(thread.updated_at, now.value)}
          </time>
        )}
      </span>
    </a>
  );
}

function ThreadMenu({ thread, rename }: { thread: Thread; rename: () => void }) {
  const exporting = (): void => void exportThread(thread);
  return (
    <Menu
      label={`Actions for “${titleOf(thread)}”`}
      class="icon-button thread-menu"
      testId="thread-menu"
      items={[
        { label: "Rename", icon: "edit", testId: "thread-rename", run: rename },
        { label: "Export as Markdown", icon: "download", testId: "thread-export", run: exporting },
        { label: "Delete", icon: "trash", danger: true, testId: "thread-delete", run: () => deleteThread(thread) },
      ]}
    >
      <Icon name="more" size={18} />
    </Menu>
  );
}

function Rename({ thread, done }: { thread: Thread; done: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const finish = (keep: boolean): void => {
    // Removing a focused field blurs it: only the first ending counts.
    if (finished.current) return;
    finished.current = true;
    if (keep && input.current) void renameThread(thread, input.current.value);
    done();
  };
  return (
    <li>
      <input
        ref={input}
        class="thread-rename"
        defaultValue={titleOf(thread)}
        aria-label="Name of the conversation"
        maxLength={200}
        data-testid="thread-rename-input"
        onBlur={() => finish(true)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "Escape") return;
          event.stopPropagation();
          finish(event.key === "Enter");
        }}
      />
    </li>
  );
}

function ListProblem({ text }: { text: string }) {
  return (
    <div class="thread-list">
      <p class="thread-none">The conversations could not be loaded. {text}</p>
      <button type="button" class="link thread-more" onClick={() => void loadThreads(courseId.value)}>
        Try again
      </button>
    </div>
  );
}

function Waiting() {
  const late = useDelayed();
  return (
    <div class="thread-list" aria-busy="true">
      {late && [70, 52, 64].map((width) => <div key={width} class="skeleton" style={{ width: `${width}%` }} />)}
    </div>
  );
}
