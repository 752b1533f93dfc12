// Files beside the draft: sent when they are chosen, kept through a reload, taken along with the message.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/client";
import { attachments } from "../src/api/endpoints";
import { draftFiles } from "../src/state/drafts";
import { FileTray, MOST_FILES } from "../src/state/files";
import { toasts } from "../src/state/notices";
import { fileSize } from "../src/text/size";

const chosen = (name: string) => new File(["words"], name);
const card = (name: string) => ({ id: `att_${name}`, name, mime_type: "text/plain", size: 5 });
const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.spyOn(attachments, "upload").mockImplementation(async (file) => card(file.name));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  toasts.value = [];
});

describe("files beside the draft", () => {
  it("are sent at once, kept with the place, and go with the message", async () => {
    const tray = new FileTray(() => "thr_1");
    tray.add([chosen("a.md")]);
    expect(tray.busy).toBe(true);
    await vi.waitFor(() => expect(tray.busy).toBe(false));
    const again = new FileTray(() => "thr_1");
    expect(again.files.value.map((file) => file.name)).toEqual(["a.md"]);
    expect(again.take().map((part) => part.id)).toEqual(["att_a.md"]);
    expect(draftFiles.get("thr_1")).toEqual([]);
  });

  it("say why one was not taken, and let it go", async () => {
    vi.mocked(attachments.upload).mockRejectedValueOnce(new ApiError(422, "not_taken", "That is no picture."));
    const tray = new FileTray(() => "thr_1");
    tray.add([chosen("odd.png")]);
    await vi.waitFor(() => expect(tray.files.value[0]?.state).toBe("failed"));
    expect(tray.files.value[0]?.problem).toBe("That is no picture.");
    tray.remove(tray.files.value[0]!.key);
    expect(tray.files.value).toEqual([]);
  });

  it("are no more than a message takes", async () => {
    const tray = new FileTray(() => "thr_1");
    tray.add(Array.from({ length: MOST_FILES + 2 }, (_, n) => chosen(`${n}.md`)));
    expect(tray.files.value).toHaveLength(MOST_FILES);
    expect(toasts.value).toHaveLength(1);
  });

  it("are removed while they are sent, and after", async () => {
    const removed = vi.spyOn(attachments, "remove").mockResolvedValue(undefined);
    let given: AbortSignal | undefined;
    vi.mocked(attachments.upload).mockImplementationOnce((_, signal) => ((given = signal), new Promise(() => undefined)));
    const tray = new FileTray(() => "thr_1");
    tray.add([chosen("slow.md")]);
    tray.remove(tray.files.value[0]!.key);
    expect(given?.aborted).toBe(true);
    tray.give([{ type: "attachment", ...card("b.md") }]);
    tray.remove(tray.files.value[0]!.key);
    expect(removed).toHaveBeenCalledWith("att_b.md");
  });
});

it.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1.0 kB"],
  [15_400, "15 kB"],
  [999_600, "1.0 MB"],
  [20_000_000, "20 MB"],
])("%i bytes are read as %s", (bytes, words) => expect(fileSize(bytes)).toBe(words));
