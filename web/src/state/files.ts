// Files on their way into a message: sent at once when they are chosen, kept beside the draft until the message goes.
import { signal, type Signal } from "@preact/signals";
import { ApiError, isAbort, messageOf } from "../api/client";
import { attachments } from "../api/endpoints";
import type { AttachedPart } from "../api/types";
import { announce, toast } from "./notices";
import { draftFiles } from "./drafts";

export const MOST_FILES = 10;

export interface OwnFile {
  key: string;
  name: string;
  state: "sending" | "ready" | "failed";
  problem: string;
  /** Once it is ready. */
  part: AttachedPart | null;
}

let count = 0;

export class FileTray {
  readonly files: Signal<OwnFile[]>;
  private readonly sending = new Map<string, AbortController>();

  constructor(private readonly place: () => string) {
    this.files = signal(draftFiles.get(place()).map(ready));
  }

  get busy(): boolean {
    return this.files.value.some((file) => file.state === "sending");
  }

  /** Send the chosen files, as many as a message may have. */
  add(chosen: readonly File[]): void {
    const room = MOST_FILES - this.files.value.length;
    if (chosen.length > room) toast(`A message takes ${MOST_FILES} files at most.`);
    for (const file of chosen.slice(0, Math.max(0, room))) void this.send(file);
  }

  remove(key: string): void {
    const gone = this.files.value.find((file) => file.key === key);
    this.sending.get(key)?.abort();
    this.put(this.files.value.filter((file) => file.key !== key));
    // What is left behind, because the server is away, it removes by itself within a day.
    if (gone?.part) void attachments.remove(gone.part.id).catch(() => undefined);
  }

  /** The files that are ready, for a message; those that failed are dropped with their words. */
  take(): AttachedPart[] {
    const parts = this.files.value.flatMap((file) => (file.part ? [file.part] : []));
    this.put([]);
    return parts;
  }

  /** Files of a message that could not be sent, back beside the draft. */
  give(parts: readonly AttachedPart[]): void {
    this.put([...parts.map(ready), ...this.files.value].slice(0, MOST_FILES));
  }

  private async send(file: File): Promise<void> {
    const key = `f${++count}`;
    const controller = new AbortController();
    this.sending.set(key, controller);
    this.put([...this.files.value, { key, name: file.name, state: "sending", problem: "", part: null }]);
    try {
      const { id, name, mime_type, size } = await attachments.upload(file, controller.signal);
      this.change(key, { state: "ready", part: { type: "attachment", id, name, mime_type, size } });
      announce(`${file.name} is attached.`);
    } catch (error) {
      if (isAbort(error)) return;
      const problem = error instanceof ApiError ? error.message : messageOf(error);
      this.change(key, { state: "failed", problem });
      announce(`${file.name} could not be attached. ${problem}`);
    } finally {
      this.sending.delete(key);
    }
  }

  private change(key: string, given: Partial<OwnFile>): void {
    this.put(this.files.value.map((file) => (file.key === key ? { ...file, ...given } : file)));
  }

  private put(files: OwnFile[]): void {
    this.files.value = files;
    draftFiles.set(
      this.place(),
      files.flatMap((file) => (file.part ? [file.part] : [])),
    );
  }
}

function ready(part: AttachedPart): OwnFile {
  return { key: `f${++count}`, name: part.name, state: "ready", problem: "", part };
}
