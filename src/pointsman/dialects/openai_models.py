"""``GET /v1/models`` in OpenAI's shape, with what each name means to the router."""

from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from pointsman.core import headers as names
from pointsman.core.errors import EndpointNotFound, HttpError
from pointsman.core.verdict import Reply
from pointsman.dialects.endpoints import MODELS_PATH

OWNER = "pointsman"


class ListedModel(msgspec.Struct, frozen=True):
    """One name a client may use."""

    id: str
    virtual: bool
    """Resolved by a decision for each request, rather than being one model."""
    description: str = ""
    parent: str | None = None
    """For a LoRA adapter, the model it adapts."""


def models_reply(path: str, models: Sequence[ListedModel], created: int) -> Reply:
    """The list, or for ``/v1/models/{id}`` one entry. Raises ``EndpointNotFound`` for an unknown id."""
    wanted = unquote(path.removeprefix(MODELS_PATH)).strip("/")
    entries = [_entry(model, created) for model in models]
    if not wanted:
        return _json({"object": "list", "data": entries})
    for entry in entries:
        if entry["id"] == wanted:
            return _json(entry)
    raise _unknown(wanted)


def is_models_path(path: str) -> bool:
    """Whether ``path`` is the list or one entry of it."""
    return path == MODELS_PATH or path.startswith(f"{MODELS_PATH}/")


def _entry(model: ListedModel, created: int) -> dict[str, object]:
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": OWNER,
        "description": model.description,
        "parent": model.parent,
        "routing": {
            "resolution": "virtual" if model.virtual else "passthrough",
            "selectable": True,
        },
    }


def _json(document: dict[str, object]) -> Reply:
    headers = {"content-type": "application/json", names.SCHEMA_VERSION: "2"}
    return Reply(200, headers, msgspec.json.encode(document))


def _unknown(name: str) -> HttpError:
    message = f'model "{name}" does not exist; GET {MODELS_PATH} lists the names'
    return EndpointNotFound(message, param="model")
