"""What was said, as items of responses and conversations. Ids are made from ours, so that none has to be kept.

msg_…          words of a person; `msg_RUN_K`, the K-th item of an answer, if it is words
fc_RUN_K       a call that the client carries out itself · fco_MESSAGE_K what the client says came of it
mcp_RUN_K      a call of a tool of ours, which has been carried out, and what came of it
rs_RUN_K       what the model has thought aloud
mcpr_RUN_K     such a call that waits for a person
"""

from collections.abc import Sequence

from famulus.conversations.parts import (
    Citation,
    ClientCall,
    ClientResult,
    MessageView,
    Part,
    Reasoning,
    Text,
    Tool,
)
from famulus.runs.events import ApprovalCard

LABEL = "famulus"
"""Under which our tools are told, as those of a server."""
Item = dict[str, object]
DONE, CUT = "completed", "incomplete"


def suffix_of(id: str) -> str:
    """An id without its prefix."""
    return id.partition("_")[2]


def output_items(run_id: str, parts: Sequence[Part], status: str = DONE) -> list[Item]:
    """The items of an answer; `status` of its last words."""
    suffix = suffix_of(run_id)
    citations = [part for part in parts if isinstance(part, Citation)]
    told = [part for part in parts if isinstance(part, Text | Reasoning | Tool | ClientCall)]
    items: list[Item] = []
    for k, part in enumerate(told):
        match part:
            case Text(text=text):
                last = status if k == len(told) - 1 else DONE
                items.append(message_item(f"msg_{suffix}_{k}", text, annotations(text, citations), last))
            case Reasoning(text=text):
                items.append(reasoning_item(f"rs_{suffix}_{k}", text))
            case Tool():
                items.append(tool_item(f"mcp_{suffix}_{k}", part))
            case ClientCall():
                items.append(call_item(f"fc_{suffix}_{k}", part))
    return items


def input_items(message: MessageView) -> list[Item]:
    """The items of a message that was sent."""
    items: list[Item] = []
    for k, part in enumerate(message.parts):
        match part:
            case Text(text=text):
                content = [{"type": "input_text", "text": text}]
                items.append(
                    {"id": message.id, "type": "message", "status": DONE, "role": "user", "content": content}
                )
            case ClientResult():
                items.append(
                    {
                        "id": f"fco_{suffix_of(message.id)}_{k}",
                        "type": "function_call_output",
                        "status": DONE,
                        "call_id": part.call_id,
                        "output": part.output,
                    }
                )
            case _:
                pass
    return items


def items_of(message: MessageView) -> list[Item]:
    """The items of any message; an answer's are the same wherever they are read."""
    if message.role == "user":
        return input_items(message)
    status = DONE if message.status == "complete" else CUT
    return output_items(message.run_id or message.id, message.parts, status)


def message_item(id: str, text: str, cited: Sequence[Item], status: str = DONE) -> Item:
    """Words of the assistant."""
    return {
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [text_part(text, cited)],
    }


def reasoning_item(id: str, text: str, status: str = DONE) -> Item:
    """What the model has thought aloud."""
    return {"id": id, "type": "reasoning", "status": status, "summary": [summary_part(text)]}


def summary_part(text: str) -> Item:
    """The one content of it."""
    return {"type": "summary_text", "text": text}


def text_part(text: str, cited: Sequence[Item] = ()) -> Item:
    """The one content of words of the assistant."""
    return {"type": "output_text", "text": text, "annotations": list(cited), "logprobs": []}


def annotations(text: str, citations: Sequence[Citation]) -> list[Item]:
    """What a text rests on, where its marks stand."""
    found = ((text.find(f"[{citation.number}]"), citation) for citation in citations)
    return [annotation(citation, at) for at, citation in sorted(found, key=lambda each: each[0]) if at >= 0]


def annotation(citation: Citation, at: int) -> Item:
    """A passage that a text rests on, at a character of it."""
    return {
        "type": "file_citation",
        "index": at,
        "file_id": citation.document_id,
        "filename": citation.title,
        "passage_id": citation.passage_id,
        "quote": citation.quote,
        "url": citation.url,
    }


def call_item(id: str, call: ClientCall, *, begun: bool = False) -> Item:
    """A call that the client carries out itself; one that has only `begun` has no arguments yet."""
    return {
        "id": id,
        "type": "function_call",
        "status": "in_progress" if begun else DONE,
        "call_id": call.call_id,
        "name": call.name,
        "arguments": "" if begun else call.arguments,
    }


def tool_item(id: str, tool: Tool) -> Item:
    """A call of a tool of ours; one without a result goes on."""
    failed = tool.status in ("failed", "denied", "unknown")
    going = tool.status == "called"
    return {
        "id": id,
        "type": "mcp_call",
        "status": "in_progress" if going else "failed" if failed else DONE,
        "server_label": LABEL,
        "name": tool.name,
        "arguments": "" if going else tool.arguments,
        "output": None if failed else tool.result,
        "error": tool.result if failed else None,
        "approval_request_id": None,
    }


def approval_item(id: str, card: ApprovalCard) -> Item:
    """A call that waits for a person, with what it would do."""
    return {
        "id": id,
        "type": "mcp_approval_request",
        "server_label": LABEL,
        "name": card.name,
        "arguments": card.arguments,
        "title": card.title,
        "approval_id": card.id,
        "hash": card.hash,
    }
