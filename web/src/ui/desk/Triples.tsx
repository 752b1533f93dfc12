// Triples: what a language model reads in an organization's material, with its price before, and its budget while it does.
import { useEffect, useState } from "preact/hooks";
import { triples, type TripleEstimate, type Triples } from "../../api/triples";
import { announce } from "../../state/notices";
import { Exact } from "../Exact";
import { TextField } from "../fields";
import { Loading, Problems } from "../Loading";
import { Sure } from "../Sure";
import { useLoaded } from "../useLoaded";
import { useSend } from "../useSend";

/** Milliseconds between two looks at what is being read. */
const LOOK = 2_000;

export function TriplesPage({ organizationId }: { organizationId: string }) {
  const { value, problem, again, set } = useLoaded(() => triples.standing(organizationId), organizationId);
  const running = value?.state === "running";
  useEffect(() => {
    if (!running) return;
    const timer = window.setTimeout(again, LOOK);
    return () => window.clearTimeout(timer);
  }, [value]);
  return (
    <>
      <p class="manage-lead">
        Searches follow names from one passage to the next. A language model can read, besides, how things are related: that the pump “was
        drawn by” Ada Lowe. Each passage is read once and costs tokens; what is read stays until the passage changes.
      </p>
      {!value && <Loading what="How it stands" problem={problem} again={again} />}
      {value && <Standing shown={value} />}
      {value && problem !== null && <Loading what="How it stands by now" problem={problem} again={again} />}
      {running && <Going organizationId={organizationId} set={set} />}
      {value && !running && <Order key={value.state} organizationId={organizationId} set={set} />}
      {value && value.read > 0 && <Forget organizationId={organizationId} again={again} />}
    </>
  );
}

function Standing({ shown }: { shown: Triples }) {
  const spent = shown.input_tokens + shown.output_tokens;
  return (
    <section aria-label="How it stands" data-testid="triples-standing" data-state={shown.state}>
      <p class="source-progress">
        <progress max={shown.chunks || 1} value={shown.read} aria-label="Read so far" />
        <span class="row-detail" role="status">
          {shown.said}
        </span>
      </p>
      {shown.error && (
        <p class="approval-problem">
          <Exact text={shown.error} />
        </p>
      )}
      {shown.state !== "none" && (
        <dl class="figures">
          <Fact name="Triples" value={shown.triples.toLocaleString()} />
          <Fact name="Tokens used" value={spent.toLocaleString()} />
          {shown.token_budget !== null && <Fact name="Budget" value={shown.token_budget.toLocaleString()} />}
          {shown.cost_usd !== null && <Fact name="US dollars" value={dollars(shown.cost_usd)} />}
        </dl>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Going({ organizationId, set }: { organizationId: string; set: (value: Triples) => void }) {
  const { busy, general, send } = useSend();
  return (
    <>
      <Problems problems={general} />
      <div class="approval-buttons">
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void send(async () => set(await triples.cancel(organizationId)))}
          data-testid="triples-cancel"
        >
          Stop reading
        </button>
      </div>
    </>
  );
}

function Order({ organizationId, set }: { organizationId: string; set: (value: Triples) => void }) {
  const estimate = useLoaded(() => triples.estimate(organizationId), organizationId);
  return (
    <section aria-labelledby="triples-cost">
      <h2 id="triples-cost">What it would cost</h2>
      {!estimate.value && <Loading what="The estimate" problem={estimate.problem} again={estimate.again} />}
      {estimate.value && <Cost shown={estimate.value} />}
      {estimate.value && estimate.value.requests > 0 && (
        <Budget organizationId={organizationId} suggested={estimate.value.suggested_budget} set={set} />
      )}
    </section>
  );
}

function Cost({ shown }: { shown: TripleEstimate }) {
  if (shown.requests === 0) return <p data-testid="triples-estimate">Nothing: all of it is read.</p>;
  const tokens = `about ${shown.input_tokens.toLocaleString()} tokens in and ${shown.output_tokens.toLocaleString()} out`;
  return (
    <p data-testid="triples-estimate">
      <Exact text={shown.model} /> would be asked about {shown.requests.toLocaleString()}{" "}
      {shown.requests === 1 ? "passage" : "passages"}: {tokens}
      {shown.cost_usd === null ? `. ${shown.no_price ?? ""}` : `, $${dollars(shown.cost_usd)}.`}
    </p>
  );
}

interface BudgetProps {
  organizationId: string;
  /** With so many it should not stop before the end. */
  suggested: number;
  set: (value: Triples) => void;
}

function Budget({ organizationId, suggested, set }: BudgetProps) {
  const [tokens, setTokens] = useState(String(suggested));
  const { busy, problems, general, send } = useSend(["token_budget"]);
  const start = (event: Event): void => {
    event.preventDefault();
    void send(async () => {
      set(await triples.start(organizationId, Number(tokens)));
      announce("The material is being read.");
    });
  };
  return (
    <form class="form desk-form" onSubmit={start}>
      <TextField
        label="Tokens it may use"
        hint="In and out together. It stops before it would use more, and goes on from there when you start it again."
        value={tokens}
        onInput={setTokens}
        problem={problems["token_budget"]}
        required
        maxLength={10}
        testId="triples-budget"
      />
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy || !/^\d+$/.test(tokens)} data-testid="triples-start">
          Have it read
        </button>
      </div>
    </form>
  );
}

function Forget({ organizationId, again }: { organizationId: string; again: () => void }) {
  const { busy, general, send } = useSend();
  const forget = (): void =>
    void send(async () => {
      await triples.remove(organizationId);
      announce("What the model has read is forgotten.");
      again();
    });
  return (
    <>
      <Problems problems={general} />
      <Sure
        label="Forget what was read"
        warning="Searches no longer follow it, and reading it again costs as much again."
        busy={busy}
        testId="triples-forget"
        onSure={forget}
      />
    </>
  );
}

/** To the cent, or closer where it is less. */
function dollars(cost: number): string {
  return cost >= 0.1 || cost === 0 ? cost.toFixed(2) : cost.toPrecision(2);
}
