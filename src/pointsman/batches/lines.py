"""Input files: one JSON request a line, each checked before the first is sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from pointsman.batches.values import Fault, Request
from pointsman.core.errors import RequestError
from pointsman.dialects.body import decode, parse_object

MAX_FAULTS: Final = 100
"""Faults told of one file."""
MAX_ID: Final = 512
"""Characters of a custom id."""


class _Line(msgspec.Struct):
    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


_LINE = msgspec.json.Decoder(_Line)


def check(path: Path, endpoint: str, *, most: int, longest: int) -> tuple[int, list[Fault]]:
    """How many requests a file has, and what is wrong with it. Blocks: for a thread.

    ``most``: requests allowed; ``longest``: bytes of a line.
    """
    seen: set[str] = set()
    faults: list[Fault] = []
    number = 0
    for line, raw in _raw_lines(path, longest):
        number += 1
        if number > most:
            return number, [Fault("too_many_requests", f"at most {most} requests in one file", line=line)]
        try:
            custom_id = read(raw, line, endpoint, longest).custom_id
        except RequestError as error:
            faults.append(Fault("invalid_request", error.message, error.param, line))
        else:
            if custom_id in seen:
                faults.append(
                    Fault("invalid_request", f'custom_id "{custom_id}" is not unique', "custom_id", line)
                )
            seen.add(custom_id)
        if len(faults) >= MAX_FAULTS:
            break
    if not number:
        faults.append(Fault("empty_file", "the input file has no requests"))
    return number, faults


def requests(path: Path, endpoint: str, longest: int) -> Iterator[Request]:
    """The requests of a file that was checked."""
    for line, raw in _raw_lines(path, longest):
        yield read(raw, line, endpoint, longest)


def read(raw: bytes, line: int, endpoint: str, longest: int) -> Request:
    """One line. Raises ``RequestError`` naming the field at fault."""
    if len(raw) > longest:
        raise RequestError(f"the line is longer than {longest} bytes")
    said = decode(raw, _LINE)
    if not said.custom_id or len(said.custom_id) > MAX_ID:
        raise RequestError(f"custom_id: must have 1 to {MAX_ID} characters", param="custom_id")
    if said.method != "POST":
        raise RequestError('method: must be "POST"', param="method")
    if said.url != endpoint:
        raise RequestError(f'url: must be the batch\'s endpoint, "{endpoint}"', param="url")
    body = parse_object(bytes(said.body))
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("body.model: must be a model's name", param="body.model")
    if body.get("stream"):
        raise RequestError("body.stream: a batch has no streams", param="body.stream")
    return Request(said.custom_id, model, said.body, line)


def _raw_lines(path: Path, longest: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, from 1, without blank ones; of one too long just the beginning."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(longest + 2):
            number += 1
            whole = raw
            while not raw.endswith(b"\n") and (raw := file.readline(longest + 2)):
                pass
            if whole.strip():
                yield number, whole.rstrip(b"\r\n")
