// Signing in through somebody else: a button for each identity provider, and what came of the last try.
import { startAt } from "../api/endpoints";
import { providers } from "../state/session";

export function Providers() {
  if (providers.value.length === 0) return null;
  return (
    <div class="providers">
      {providers.value.map((provider) => (
        // A link: the browser leaves this page, and the server sends it back here.
        <a
          key={provider.id}
          class="button"
          href={startAt(provider.id, location.pathname + location.hash)}
          data-testid="provider"
          data-provider={provider.id}
        >
          Continue with {provider.name}
        </a>
      ))}
      <p class="providers-or">or with email</p>
    </div>
  );
}
