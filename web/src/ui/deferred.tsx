// Pages that the chat does without: their code is loaded when one is first opened.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Loading } from "./Loading";

export function deferred<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | null = null;
  return function Deferred(props: P) {
    const [, setLoaded] = useState(found !== null);
    const [lost, setLost] = useState(false);
    useEffect(() => {
      if (found) return undefined;
      let over = false;
      load().then(
        (page) => {
          found = page;
          if (!over) setLoaded(true);
        },
        () => !over && setLost(true),
      );
      return () => {
        over = true;
      };
    }, []);
    const Page = found;
    if (Page) return <Page {...props} />;
    return (
      <div class="page-scroll">
        <div class="page-column">
          {/* Anew from the server: after an update the file may have another name there. */}
          <Loading what="This page" problem={lost ? "" : null} again={() => location.reload()} />
        </div>
      </div>
    );
  };
}
