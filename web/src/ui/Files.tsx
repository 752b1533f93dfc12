// Files of a message: beside the draft with a way to take them away, in a conversation with a way to save them.
import { attachments } from "../api/endpoints";
import type { AttachedPart } from "../api/types";
import type { FileTray, OwnFile } from "../state/files";
import { fileSize } from "../text/size";
import { Icon } from "./Icon";

export function AttachButton({ tray }: { tray: FileTray }) {
  return (
    <label class="icon-button attach" title="Attach files">
      <Icon name="clip" />
      <span class="visually-hidden">Attach files</span>
      <input
        type="file"
        class="visually-hidden"
        multiple
        data-testid="attach"
        onChange={(event) => {
          tray.add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

export function DraftFiles({ tray }: { tray: FileTray }) {
  const files = tray.files.value;
  if (files.length === 0) return null;
  return (
    <ul class="files draft-files" aria-label="Files of this message" data-testid="draft-files">
      {files.map((file) => (
        <DraftFile key={file.key} file={file} remove={() => tray.remove(file.key)} />
      ))}
    </ul>
  );
}

function DraftFile({ file, remove }: { file: OwnFile; remove: () => void }) {
  return (
    <li class="file" data-state={file.state} data-testid="draft-file" title={file.problem || file.name}>
      {file.state === "failed" ? <Icon name="warn" size={18} /> : <Face part={file.part} />}
      <span class="file-text">
        <span class="file-name">{file.name}</span>
        <span class="quiet">{said(file)}</span>
      </span>
      <button type="button" class="icon-button small" aria-label={`Remove ${file.name}`} onClick={remove}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

function said(file: OwnFile): string {
  if (file.state === "sending") return "Sending…";
  return file.part ? fileSize(file.part.size) : file.problem;
}

export function SentFiles({ files }: { files: readonly AttachedPart[] }) {
  if (files.length === 0) return null;
  return (
    <ul class="files sent-files" aria-label="Files" data-testid="sent-files">
      {files.map((part) => (
        <li key={part.id}>
          <a class="file" href={attachments.content(part.id)} download={part.name} title={`Save ${part.name}`}>
            <Face part={part} />
            <span class="file-text">
              <span class="file-name">{part.name}</span>
              <span class="quiet">{fileSize(part.size)}</span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** A picture shows itself, any other file a sheet of paper. */
function Face({ part }: { part: AttachedPart | null }) {
  if (!part?.mime_type.startsWith("image/")) return <Icon name="file" size={18} />;
  return <img class="file-face" src={attachments.thumbnail(part.id)} alt="" width={36} height={36} loading="lazy" />;
}
