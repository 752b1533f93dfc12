// Another password. Every session but this one ends with it.
import { useState } from "preact/hooks";
import { account } from "../../api/account";
import { toast } from "../../state/notices";
import { me } from "../../state/session";
import { TextField } from "../fields";
import { Problems } from "../Loading";
import { useSend } from "../useSend";

export function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { busy, problems, general, send } = useSend(["current_password", "new_password"]);
  const save = (event: Event): void => {
    event.preventDefault();
    void send(async () => {
      await account.password(current, next);
      setCurrent("");
      setNext("");
      toast("Your password is changed, and every other session has ended.");
    });
  };
  return (
    <form class="form desk-form" onSubmit={save} data-testid="password-form">
      <p class="manage-lead">At least 8 characters. Everywhere else you are signed out; API keys stay.</p>
      {/* For programs that keep passwords: whose it is. */}
      <input type="email" value={me.value?.user.email ?? ""} autoComplete="username" hidden readOnly />
      <TextField
        label="Password now"
        type="password"
        value={current}
        onInput={setCurrent}
        problem={problems["current_password"]}
        autoComplete="current-password"
        required
        testId="current-password"
      />
      <TextField
        label="New password"
        type="password"
        value={next}
        onInput={setNext}
        problem={problems["new_password"]}
        autoComplete="new-password"
        required
        testId="new-password"
      />
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy} data-testid="save-password">
          Change password
        </button>
      </div>
      <p class="quiet">Who signs in through a provider has none here; “Forgot password?” on the sign-in page makes one.</p>
    </form>
  );
}
