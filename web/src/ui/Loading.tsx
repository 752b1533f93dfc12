// What stands where something is on its way, could not be had, or was refused.
import { useDelayed } from "./dom";

/** Why something is not shown, with a way to try again; or a sign that it is on its way. */
export function Loading({ what, problem, again }: { what: string; problem: string | null; again: () => void }) {
  const late = useDelayed();
  if (problem !== null)
    return (
      <p class="quiet" role="alert" data-testid="load-problem">
        {what} could not be loaded. {problem}{" "}
        <button type="button" class="link" onClick={again}>
          Try again
        </button>
      </p>
    );
  return (
    <div aria-busy="true">
      {late && [60, 72, 48].map((width) => <div key={width} class="skeleton" style={{ width: `${width}%` }} />)}
    </div>
  );
}

/** What the server has against something, where somebody has just pressed a button. */
export function Problems({ problems }: { problems: string[] }) {
  if (problems.length === 0) return null;
  return (
    <div class="approval-problem" role="alert" data-testid="manage-problem">
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
    </div>
  );
}
