// Who one is: name and language, the facts that assistants may take into account, the address, and where one is at work.
import { useState } from "preact/hooks";
import { account } from "../../api/account";
import type { Me } from "../../api/types";
import { announce } from "../../state/notices";
import { me, takeMe } from "../../state/session";
import { changedFacts, EXPERIENCE, HARDWARE, KNOWN_FACTS, ownFacts, type OwnFact } from "../../text/facts";
import { languageChoices } from "../../text/languages";
import { Choice, TextArea, TextField } from "../fields";
import { Icon } from "../Icon";
import { Problems } from "../Loading";
import { useSend } from "../useSend";
import { Address } from "./Address";
import { DeleteAccount } from "./DeleteAccount";
import { Places } from "./Places";

export function Profile() {
  const mine = me.value;
  if (!mine) return null;
  return (
    <>
      <Address user={mine.user} />
      <Editor mine={mine} />
      <Places mine={mine} />
      <DeleteAccount email={mine.user.email} />
    </>
  );
}

function Editor({ mine: { user } }: { mine: Me }) {
  const [name, setName] = useState(user.name);
  const [locale, setLocale] = useState(user.locale);
  const [known, setKnown] = useState(user.profile);
  const [own, setOwn] = useState(() => ownFacts(user.profile));
  const { busy, problems, general, send } = useSend(["name", "locale", ...KNOWN_FACTS]);
  const facts = changedFacts(user.profile, known, own);
  const change = {
    ...(name.trim() !== user.name && { name: name.trim() }),
    ...(locale !== user.locale && { locale }),
    ...(Object.keys(facts).length > 0 && { profile: facts }),
  };
  const changed = Object.keys(change).length > 0;
  const save = (event: Event): void => {
    event.preventDefault();
    void send(async () => {
      const found = await account.change(change);
      takeMe(found);
      setKnown(found.user.profile);
      setOwn(ownFacts(found.user.profile));
      announce("Your profile is saved.");
    });
  };
  const fact = (path: string) => ({
    value: known[path] ?? "",
    onInput: (value: string) => setKnown({ ...known, [path]: value }),
    problem: problems[path],
    testId: `fact-${path}`,
  });
  return (
    <form class="form desk-form" onSubmit={save} data-testid="profile-form">
      <TextField label="Name" value={name} onInput={setName} problem={problems["name"]} autoComplete="name" required maxLength={200} testId="profile-name" />
      <Choice
        label="Language"
        hint="Mails to you are written in it, where there is a translation."
        value={locale}
        onInput={setLocale}
        choices={languageChoices(user.locale)}
        problem={problems["locale"]}
        testId="profile-locale"
      />
      <h2>What assistants may know of you</h2>
      <p class="quiet">They take it into account when they answer you. Nobody else in a course sees it.</p>
      <Choice label="Experience" choices={EXPERIENCE} {...fact("experience_level")} />
      <TextArea label="What you have programmed" maxLength={500} {...fact("software_background")} />
      <TextArea label="What you have built or wired" maxLength={500} {...fact("hardware_background")} />
      <Choice label="Most capable machine at hand" choices={HARDWARE} {...fact("hardware_tier")} />
      <TextArea label="What you want to learn" maxLength={1000} {...fact("learning_goals")} />
      <TextField label="Language to be answered in" hint="Such as en or pt-BR." maxLength={35} {...fact("preferred_language")} />
      <OwnFacts facts={own} onChange={setOwn} />
      <Problems problems={general} />
      <div class="approval-buttons">
        <button type="submit" class="button primary" disabled={busy || !changed} data-testid="save-profile">
          {changed ? "Save" : "Saved"}
        </button>
      </div>
    </form>
  );
}

function OwnFacts({ facts, onChange }: { facts: OwnFact[]; onChange: (facts: OwnFact[]) => void }) {
  const put = (at: number, part: Partial<OwnFact>) => onChange(facts.map((each, index) => (index === at ? { ...each, ...part } : each)));
  return (
    <fieldset class="own-facts">
      <legend>Anything else</legend>
      {facts.map((each, index) => (
        <div key={index} class="own-fact" data-testid="own-fact">
          <input
            type="text"
            aria-label={`Fact ${index + 1}: what it is about`}
            placeholder="What it is about"
            maxLength={40}
            value={each.name}
            onInput={(event) => put(index, { name: event.currentTarget.value })}
          />
          <input
            type="text"
            aria-label={`Fact ${index + 1}: what it says`}
            placeholder="What it says"
            maxLength={500}
            value={each.value}
            onInput={(event) => put(index, { value: event.currentTarget.value })}
          />
          <button
            type="button"
            class="icon-button"
            aria-label={`Remove fact ${index + 1}`}
            onClick={() => onChange(facts.filter((_, at) => at !== index))}
          >
            <Icon name="trash" size={18} />
          </button>
        </div>
      ))}
      <button type="button" class="link" onClick={() => onChange([...facts, { name: "", value: "" }])} data-testid="add-fact">
        Add a fact
      </button>
    </fieldset>
  );
}
