// Short notices with an action, and the single region through which everything is said to screen readers.
import { dismiss, status, toasts } from "../state/notices";
import { Icon } from "./Icon";

export function Toasts() {
  return (
    <div class="toasts">
      {toasts.value.map((item) => (
        <div key={item.id} class="toast" data-testid="toast">
          <span>{item.text}</span>
          {item.action && (
            <button type="button" class="link" onClick={item.action.run} data-testid="toast-action">
              {item.action.label}
            </button>
          )}
          <button type="button" class="icon-button small" aria-label="Dismiss" onClick={() => dismiss(item.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}

export function StatusRegion() {
  return (
    <div class="visually-hidden" role="status" aria-live="polite" data-testid="status-region">
      {status.value}
    </div>
  );
}
