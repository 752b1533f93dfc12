// What cannot be had back is asked about once more, where it was pressed.
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** What the button says. */
  label: string;
  /** What it comes to, as a sentence. */
  warning: string;
  /** The name of the yes; the label by itself. */
  yes?: string;
  no?: string;
  busy?: boolean;
  testId: string;
  onSure: () => void;
}

export function Sure({ label, warning, yes = label, no = "Keep", busy = false, testId, onSure }: Props) {
  const [asking, setAsking] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  useEffect(() => {
    if (pressed.current) place.current?.querySelector<HTMLElement>(asking ? "[data-keep]" : "button")?.focus();
  }, [asking]);
  const turn = (to: boolean): void => {
    pressed.current = true;
    setAsking(to);
  };
  return (
    <div ref={place} class="sure">
      {asking ? (
        <div class="approval-buttons" role="group" aria-label={label}>
          <p class="manage-sure">{warning}</p>
          <button
            type="button"
            class="button danger"
            disabled={busy}
            onClick={() => (turn(false), onSure())}
            data-testid={`${testId}-sure`}
          >
            {yes}
          </button>
          <button type="button" class="button" data-keep disabled={busy} onClick={() => turn(false)}>
            {no}
          </button>
        </div>
      ) : (
        <button type="button" class="button plain" disabled={busy} onClick={() => turn(true)} data-testid={testId}>
          {label}
        </button>
      )}
    </div>
  );
}
