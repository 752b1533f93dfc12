// A whole conversation as one Markdown file, all pages of it, with its sources.
import { messageOf } from "../api/client";
import { threads as api } from "../api/endpoints";
import type { CitationPart, Message, Thread } from "../api/types";
import { toast } from "../state/notices";
import { titleOf } from "../state/threads";
import { clockTime } from "../text/time";
import { download } from "./dom";

export async function exportThread(thread: Thread): Promise<void> {
  const title = titleOf(thread);
  try {
    const messages: Message[] = [];
    let after: string | null = null;
    do {
      const page: { items: Message[]; next: string | null } = await api.messages(thread.id, after);
      messages.unshift(...page.items.reverse());
      after = page.next;
    } while (after !== null);
    const name = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 60);
    download(`${name || "conversation"}.md`, `# ${title}\n\n${messages.map(section).join("\n")}`);
  } catch (error) {
    toast(`The conversation was not exported. ${messageOf(error)}`);
  }
}

function section(message: Message): string {
  const who = message.role === "user" ? "You" : "Answer";
  const cited = message.parts.filter((part): part is CitationPart => part.type === "citation");
  const sources = cited.map((part) => `- [${part.number}] ${[part.title, ...part.heading_path].join(" › ")}`);
  const tail = sources.length > 0 ? `\n\nSources:\n\n${sources.join("\n")}` : "";
  return `## ${who}, ${clockTime(message.created_at)}\n\n${message.text}${tail}\n`;
}
