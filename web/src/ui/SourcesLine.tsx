// “Read 5 passages from …”: one quiet line above an answer that unfolds into the list of what was read.
import type { AnswerState } from "../state/answer";
import { bareTitle } from "../text/starters";
import { openPassage, type Cited } from "../state/panel";

interface Props {
  state: AnswerState;
  cited: Map<number, Cited>;
}

export function SourcesLine({ state, cited }: Props) {
  const read = state.passages;
  if (read !== null && read.length === 0) {
    return (
      <p class="sources none" data-testid="sources-line">
        Found nothing about this in the course.
      </p>
    );
  }
  const items = [...cited.values()].sort((a, b) => a.number - b.number);
  if (items.length === 0) return null;
  const verb = read === null ? "Cites" : "Read";
  const count = `${items.length} ${items.length === 1 ? "passage" : "passages"}`;
  return (
    <details class="sources" data-testid="sources-line">
      <summary>
        {verb} {count} from {titlesOf(items)}
      </summary>
      <ol>
        {items.map((item) => (
          <li key={item.number}>
            <button
              type="button"
              class="source"
              data-cite={item.number}
              data-testid="source-item"
              onClick={(event) => (event.stopPropagation(), openPassage(item, event.currentTarget))}
            >
              <span class="source-number">{item.number}</span>
              <span class="source-title">{item.title}</span>
              <span class="source-path">{item.heading_path.filter((part) => part !== item.title).join(" › ")}</span>
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}

function titlesOf(items: Cited[]): string {
  const titles = [...new Set(items.map((item) => bareTitle(item.title)))];
  if (titles.length > 3)
    return new Intl.ListFormat(undefined).format([...titles.slice(0, 2), `${titles.length - 2} more`]);
  return new Intl.ListFormat(undefined).format(titles);
}
