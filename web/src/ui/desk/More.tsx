// The way to the next page of a list.

export function More({ more }: { more: (() => void) | null }) {
  if (!more) return null;
  return (
    <button type="button" class="link" onClick={more} data-testid="more">
      Show more
    </button>
  );
}
