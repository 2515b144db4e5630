"""A prompt as a sequence of keys, each covering one block of it and everything before.

What is cut up is the JSON the engine gets, in the order in which chat templates put its parts into the
prompt: system messages, tools, then the conversation. A later turn of a conversation repeats the bytes of
the earlier ones, so its keys begin with theirs; images and tool calls are covered without knowing any
template. Two clients that spell the same conversation differently share nothing, which costs a cache hit
and nothing else.
"""

from typing import Final

import msgspec

from pointsman.core.tokens import BYTES_PER_TOKEN
from pointsman.dialects.body import Body

BLOCK_BYTES: Final = 256
"""Bytes of a block: about 64 tokens, a few blocks of an engine."""
BLOCK_TOKENS: Final = BLOCK_BYTES // BYTES_PER_TOKEN
MAX_BLOCKS: Final = 512
"""Blocks of a prompt that are looked at: 128 KiB. Prompts equal so far are taken for equal."""
_MAX_BYTES: Final = BLOCK_BYTES * MAX_BLOCKS
_SYSTEM: Final = frozenset({"system", "developer"})


class _Turn(msgspec.Struct):
    role: object = ""


_IDS: Final = msgspec.json.Decoder(list[int])
_ROLE: Final = msgspec.json.Decoder(_Turn)


def rendered(body: Body) -> bytes:
    """The prompt's bytes in the order of a template, cut after those that are looked at."""
    fields = body.fields
    prompt = fields.get("prompt")
    if prompt is not None:
        return bytes(memoryview(prompt)[:_MAX_BYTES])
    parts = [bytes(fields["system"])] if "system" in fields else []
    turns = body.items("messages")
    tools = fields.get("tools")
    if tools is not None:
        leading = _leading(turns)
        parts += [*map(bytes, turns[:leading]), bytes(tools)]
        turns = turns[leading:]
    size = sum(map(len, parts))
    for turn in turns:
        parts.append(bytes(turn))
        size += len(parts[-1])
        if size >= _MAX_BYTES:
            break
    return b",".join(parts)[:_MAX_BYTES]


def _leading(turns: list[msgspec.Raw]) -> int:
    """How many turns at the beginning are the system's."""
    for index, turn in enumerate(turns):
        if _ROLE.decode(turn).role not in _SYSTEM:
            return index
    return len(turns)


def prompt_keys(prompt: bytes, seed: int) -> tuple[int, ...]:
    """Keys of the full blocks of a prompt. ``seed`` keeps apart what engines never share: models, salts.

    Python's own hash of bytes is keyed by a secret of the process, so nobody can make prompts that collide.
    """
    keys = []
    key = seed
    for start in range(0, len(prompt) - BLOCK_BYTES + 1, BLOCK_BYTES):
        key = hash((key, prompt[start : start + BLOCK_BYTES]))
        keys.append(key)
    return tuple(keys)


def given_ids(body: Body) -> tuple[int, ...]:
    """The token ids that a completion request has for a prompt itself; empty where it has text."""
    prompt = body.fields.get("prompt")
    if prompt is None:
        return ()
    try:
        return tuple(_IDS.decode(prompt))
    except msgspec.ValidationError:
        return ()


def prompt_seed(model: str, body: Body) -> int:
    """Of a model or adapter, and of the salt by which a client asks for a cache of its own."""
    salt = body.fields.get("cache_salt")
    return hash((model, b"" if salt is None else bytes(salt)))
