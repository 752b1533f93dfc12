// The top of the side panel: what it shows, the way back, the way out.
import { closePanel } from "../state/panel";
import { Icon } from "./Icon";

export function PanelHead({ title, eyebrow, back }: { title: string; eyebrow: string; back?: () => void }) {
  return (
    <header class="panel-head">
      {back && (
        <button
          type="button"
          class="icon-button"
          onClick={back}
          aria-label="Back to the passage"
          data-testid="panel-back"
        >
          <Icon name="back" />
        </button>
      )}
      <div class="panel-head-text">
        <p class="panel-eyebrow">{eyebrow}</p>
        <h2 tabIndex={-1} data-panel-title data-testid="panel-title">
          {title}
        </h2>
      </div>
      <button
        type="button"
        class="icon-button"
        onClick={closePanel}
        aria-label="Close the panel"
        title="Close (Esc)"
        data-testid="panel-close"
      >
        <Icon name="close" />
      </button>
    </header>
  );
}
