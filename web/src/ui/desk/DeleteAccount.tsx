// The way out for good. The password stands for the person; the server says when a fresh sign-in is needed instead.
import { useState } from "preact/hooks";
import { account } from "../../api/account";
import { beginAnew } from "../../state/session";
import { TextField } from "../fields";
import { Problems } from "../Loading";
import { Sure } from "../Sure";
import { useSend } from "../useSend";

export function DeleteAccount({ email }: { email: string }) {
  const [password, setPassword] = useState("");
  const { busy, problems, general, send } = useSend(["password"]);
  const remove = (): void =>
    void send(async () => {
      await account.remove(password);
      beginAnew();
    });
  return (
    <section class="form desk-form" aria-labelledby="delete-account" data-testid="delete-account-section">
      <h2 id="delete-account">Delete account</h2>
      <p class="quiet">
        Your conversations, files, tasks and keys go with it, and you leave every course and organization. What you made for others
        stays. <a href="/api/auth/me/export" download data-testid="export-me">Download your data</a> first, if you want to keep it.
      </p>
      <input type="email" value={email} autoComplete="username" hidden readOnly />
      <TextField
        label="Password"
        hint="Whoever signs in through a provider leaves it empty."
        type="password"
        value={password}
        onInput={setPassword}
        problem={problems["password"]}
        autoComplete="current-password"
        testId="delete-password"
      />
      <Problems problems={general} />
      <Sure
        label="Delete my account"
        warning="Everything that was said in this account is gone at once. It cannot be taken back."
        no="Keep it"
        busy={busy}
        testId="delete-account"
        onSure={remove}
      />
    </section>
  );
}
