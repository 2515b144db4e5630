"""Requests made from a seed: chats of all shapes, and bodies that are none."""

import json
import random
from typing import Any

from fuzz.documents import JUNK, MODELS, TEXTS
from pointsman.core.request import Head

PATHS = ("/v1/chat/completions",) * 6 + ("/v1/completions", "/v1/embeddings", "/v1/messages", "/v1/odd")
ROLES = ("user", "assistant", "system", "tool", "developer")


def request(seed: int) -> tuple[Head, bytes]:
    """Head and body."""
    pick = random.Random(seed)  # noqa: S311  # no secret
    path = pick.choice(PATHS)
    headers = {"x-authz-user-id": "u", "x-authz-user-groups": "a,b"} if pick.random() < 0.8 else {}
    body: dict[str, Any] = {
        "model": pick.choice(["MoM", "MoM", "MoM", "other", *MODELS, "unknown"]),
        "messages": [
            {"role": pick.choice(ROLES), "content": _content(pick)} for _ in range(pick.randint(1, 4))
        ],
    }
    extra = {"prompt": pick.choice(TEXTS), "input": pick.choice(TEXTS), "max_tokens": 5, "stream": True}
    extra |= {"metadata": {"a": "b"}, "tools": [{"type": "function", "function": {"name": "a"}}]}
    body |= {key: value for key, value in extra.items() if pick.random() < 0.3}
    if pick.random() < 0.15:
        body[pick.choice([*body])] = pick.choice(JUNK)
    raw = json.dumps(body).encode()
    if pick.random() < 0.03:
        raw = raw[: pick.randrange(len(raw))]
    return Head("POST", path, headers), raw


def _content(pick: random.Random) -> Any:
    text = pick.choice(TEXTS)
    return text if pick.random() < 0.8 else [{"type": "text", "text": text}]
