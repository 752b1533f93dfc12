// An organization as its admins see it: people, invitations, figures, the graph, keys, the audit; for site admins the site.
import { me } from "../../state/session";
import { Accounts } from "./Accounts";
import { ApiKeys } from "./ApiKeys";
import { Audit } from "./Audit";
import { DeskFrame } from "./DeskFrame";
import { FiguresPage } from "./Figures";
import { ImportPage } from "./Import";
import { Invitations } from "./Invitations";
import { Mails } from "./Mails";
import { Members } from "./Members";
import { Organizations } from "./Organizations";
import { TriplesPage } from "./Triples";

export function OrganizationDesk({ page }: { page: string }) {
  const id = me.value?.organization?.id ?? "";
  return (
    <DeskFrame desk="organization" page={page} eyebrow={me.value?.role === "site_admin" ? "Site" : "Organization"}>
      {(shown) => (
        <>
          {shown === "people" && <Members organizationId={id} />}
          {shown === "invitations" && <Invitations organizationId={id} />}
          {shown === "import" && <ImportPage organizationId={id} />}
          {shown === "figures" && <FiguresPage place="organizations" id={id} />}
          {shown === "triples" && <TriplesPage organizationId={id} />}
          {shown === "keys" && <ApiKeys organizationId={id} />}
          {shown === "audit" && <Audit />}
          {shown === "accounts" && <Accounts />}
          {shown === "organizations" && <Organizations />}
          {shown === "mails" && <Mails />}
        </>
      )}
    </DeskFrame>
  );
}
