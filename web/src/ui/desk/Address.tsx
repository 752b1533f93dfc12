// The address of an account: whether it is confirmed, the link once more, and another address.
import { useState } from "preact/hooks";
import { account } from "../../api/account";
import type { User } from "../../api/types";
import { toast } from "../../state/notices";
import { TextField } from "../fields";
import { Problems } from "../Loading";
import { useSend } from "../useSend";

export function Address({ user }: { user: User }) {
  const [moving, setMoving] = useState(false);
  const { busy, general, send } = useSend();
  const again = (): void =>
    void send(async () => {
      await account.sendVerification();
      toast(`A link is on its way to ${user.email}.`);
    });
  return (
    <section class="desk-part" aria-labelledby="address-title">
      <h2 id="address-title">Address</h2>
      <p class="desk-line">
        <span class="row-title">{user.email}</span>
        <span class={`health health-${user.email_verified ? "good" : "warn"}`} data-testid="address-state">
          {user.email_verified ? "Confirmed" : "Not confirmed yet"}
        </span>
      </p>
      {!user.email_verified && <p class="quiet">Open the link that was mailed to it. Teaching begins when the address is confirmed.</p>}
      <Problems problems={general} />
      {moving ? (
        <Moving onDone={() => setMoving(false)} />
      ) : (
        <div class="approval-buttons">
          {!user.email_verified && (
            <button type="button" class="button" disabled={busy} onClick={again} data-testid="send-verification">
              Send the link again
            </button>
          )}
          <button type="button" class="button plain" onClick={() => setMoving(true)} data-testid="move-address">
            Use another address
          </button>
        </div>
      )}
    </section>
  );
}

function Moving({ onDone }: { onDone: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problems, general, send } = useSend(["email", "password"]);
  const ask = (event: Event): void => {
    event.preventDefault();
    void send(async () => {
      await account.email(email.trim(), password);
      toast(`If ${email.trim()} is free, a link is on its way there. The address changes when it is opened.`);
      onDone();
    });
  };
  return (
    <form class="form desk-form" onSubmit={ask} data-testid="address-form">
      <TextField label="New address" type="email" value={email} onInput={setEmail} problem={problems["email"]} autoComplete="email" required testId="new-address" />
      <TextField
        label="Your password"
        type="password"
        value={password}
        onInput={setPassword}
        problem={problems["password"]}
        autoComplete="current-password"
        required
        testId="address-password"
      />
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy} data-testid="move-address-send">
          Mail a link there
        </button>
        <button type="button" class="button plain" disabled={busy} onClick={onDone}>
          Back
        </button>
      </div>
    </form>
  );
}
