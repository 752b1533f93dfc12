// The top of the side panel: what it shows, the way back, the way out.
import { closePanel } from "../state/panel";
import { Icon } from "./Icon";

interface Props {
  title: string;
  eyebrow: string;
  /** Where in the lesson. */
  path?: string;
  back?: () => void;
}

export function PanelHead({ title, eyebrow, path, back }: Props) {
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
        {path && (
          <p class="heading-path" data-testid="heading-path">
            {path}
          </p>
        )}
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
