// One's own account: who one is, the password, where one is signed in, and keys for programs.
import { me } from "../../state/session";
import { ApiKeys } from "./ApiKeys";
import { DeskFrame } from "./DeskFrame";
import { Password } from "./Password";
import { Profile } from "./Profile";
import { Sessions } from "./Sessions";

export function AccountDesk({ page }: { page: string }) {
  return (
    <DeskFrame desk="account" page={page} eyebrow={me.value?.user.email ?? ""}>
      {(shown) => (
        <>
          {shown === "profile" && <Profile />}
          {shown === "password" && <Password />}
          {shown === "sessions" && <Sessions />}
          {shown === "keys" && <ApiKeys />}
        </>
      )}
    </DeskFrame>
  );
}
