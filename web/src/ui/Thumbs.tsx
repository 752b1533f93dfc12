// What the person thinks of an answer: shown at once, told to the server, taken back when it does not arrive.
import { messages } from "../api/endpoints";
import { messageOf } from "../api/client";
import type { Rating } from "../api/types";
import type { AnswerEntry } from "../state/entries";
import { toast } from "../state/notices";
import { Icon } from "./Icon";

const CHOICES = [
  { rating: "up", icon: "thumbUp", label: "Good answer" },
  { rating: "down", icon: "thumbDown", label: "Bad answer" },
] as const;

export function Thumbs({ entry }: { entry: AnswerEntry }) {
  const { messageId, rating } = entry.state.value;
  if (messageId === null) return null;
  return (
    <>
      {CHOICES.map((choice) => (
        <button
          key={choice.rating}
          type="button"
          class="icon-button small thumb"
          aria-pressed={rating === choice.rating}
          aria-label={choice.label}
          title={choice.label}
          onClick={() => void rate(entry, messageId, rating === choice.rating ? null : choice.rating)}
          data-testid={`thumb-${choice.rating}`}
        >
          <Icon name={choice.icon} size={16} />
        </button>
      ))}
    </>
  );
}

async function rate(entry: AnswerEntry, messageId: string, rating: Rating | null): Promise<void> {
  const before = entry.state.value.rating;
  entry.state.value = { ...entry.state.value, rating };
  try {
    await (rating === null ? messages.unrate(messageId) : messages.rate(messageId, rating));
  } catch (error) {
    // Unless the person has changed their mind meanwhile.
    if (entry.state.value.rating === rating) entry.state.value = { ...entry.state.value, rating: before };
    toast(`Your feedback was not kept. ${messageOf(error)}`);
  }
}
