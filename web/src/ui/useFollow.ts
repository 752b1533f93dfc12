// Keeps the end of a growing answer in view until the person scrolls up. The direction of the scroll
// decides, not the distance: content that grows between two events would be mistaken for scrolling.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation } from "../state/conversation";

const NEAR_END_PX = 24;

export interface Follow {
  atEnd: Signal<boolean>;
  jump: () => void;
}

type Box = { current: HTMLElement | null };

export function useFollow(scroller: Box, content: Box, conversation: Conversation): Follow {
  const atEnd = useSignal(true);
  const last = useRef(0);
  const toEnd = (): void => {
    const box = scroller.current;
    if (!box) return;
    box.scrollTop = box.scrollHeight;
    last.current = box.scrollTop;
  };
  const jump = (): void => {
    atEnd.value = true;
    toEnd();
  };
  useLayoutEffect(jump, [conversation, conversation.state.value]);
  useEffect(() => {
    const box = scroller.current;
    if (!box || !content.current) return undefined;
    const onScroll = (): void => {
      const near = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_END_PX;
      if (near) atEnd.value = true;
      else if (box.scrollTop < last.current - 1) atEnd.value = false;
      last.current = box.scrollTop;
    };
    const observer = new ResizeObserver(() => {
      if (atEnd.peek()) toEnd();
    });
    observer.observe(content.current);
    observer.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, [conversation]);
  return { atEnd, jump };
}
