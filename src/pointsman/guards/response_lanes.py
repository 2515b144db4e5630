"""The texts of an answer in OpenAI's Responses API. A stream says everything twice: in pieces, then whole."""

from collections.abc import Iterator
from typing import Any

from pointsman.guards.slot import Slot

_WHOLE = (("text", False), ("refusal", False), ("arguments", True), ("input", False), ("output", False))
"""Fields of parts, items and closing events that are a text, and whether that is JSON."""
_DELTA, _DONE = ".delta", ".done"


def of_responses(document: dict[str, Any]) -> bool:
    """Whether an event, or a whole answer, is one of that API."""
    kind = document.get("type")
    return document.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response."))


def response_slots(document: dict[str, Any]) -> Iterator[Slot]:
    """Every piece of text in an event or a whole answer."""
    kind = document.get("type")
    if isinstance(kind, str) and kind.endswith(_DELTA):
        if isinstance(document.get("delta"), str):
            yield _piece(document, kind)
        return
    for number, (container, field, quoted) in enumerate(_texts(document)):
        lane = (("whole", number), field)
        yield Slot(lane, container, field, alone=False, event=_no_event, quoted=quoted)


def response_ended(document: dict[str, Any]) -> Iterator[Any]:
    """The groups that end with this event: the pieces it repeats, and every text that came whole."""
    kind = document.get("type")
    if isinstance(kind, str) and kind.endswith(_DONE):
        yield _group(document, kind.removesuffix(_DONE))
    if not (isinstance(kind, str) and kind.endswith(_DELTA)):
        yield from (("whole", number) for number, _ in enumerate(_texts(document)))


def cut_response(begun: dict[str, Any], message: str) -> dict[str, Any]:
    """The last event of a stream that a filter ends."""
    part = {"type": "output_text", "text": message, "annotations": []}
    item = {"id": "msg_filtered", "type": "message", "role": "assistant", "status": "incomplete"}
    ending = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    response = {**begun, **ending, "output": [{**item, "content": [part]}]}
    return {"type": "response.incomplete", "sequence_number": 1 << 20, "response": response}


def forget_response_logprobs(value: Any) -> None:
    """Token by token they say what is held back."""
    if isinstance(value, list):
        for item in value:
            forget_response_logprobs(item)
    elif isinstance(value, dict):
        if value.get("logprobs"):
            value["logprobs"] = []
        for name in ("part", "item", "response", "output", "content"):
            forget_response_logprobs(value.get(name))


def _piece(document: dict[str, Any], kind: str) -> Slot:
    kept = {
        name: value for name, value in document.items() if name not in {"delta", "logprobs", "obfuscation"}
    }

    def more(text: str) -> dict[str, Any]:
        return {**kept, "delta": text, **({"logprobs": []} if "logprobs" in document else {})}

    lane = (_group(document, kind.removesuffix(_DELTA)), "delta")
    return Slot(lane, document, "delta", alone=True, event=more, quoted="arguments" in kind)


def _group(document: dict[str, Any], stem: str) -> Any:
    places = (document.get(name) for name in ("output_index", "content_index", "summary_index"))
    return (stem, *places)


def _texts(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Where whole texts stand: a closing event, its part, its item, or all items of a response."""
    response = document.get("response")
    holder = response if isinstance(response, dict) else document
    output = holder.get("output")
    items = [*output] if isinstance(output, list) else []
    for held in (document, document.get("part"), document.get("item"), *items):
        if isinstance(held, dict) and held.get("object") != "response":
            yield from _fields(held)
            for name in ("content", "summary"):
                parts = held.get(name)
                for part in parts if isinstance(parts, list) else ():
                    if isinstance(part, dict):
                        yield from _fields(part)


def _fields(held: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, bool]]:
    for field, quoted in _WHOLE:
        if isinstance(held.get(field), str):
            yield held, field, quoted


def _no_event(text: str) -> dict[str, Any]:
    """A whole text has no further piece: what is held back of it is put back where it stood."""
    raise AssertionError(f"a whole text left {len(text)} characters behind")
