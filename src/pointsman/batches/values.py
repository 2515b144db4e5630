"""Files and batches in the shapes of OpenAI's API. Times are Unix seconds."""

from typing import Any, Final

import msgspec

COMPLETION_WINDOW: Final = "24h"
WINDOW_S: Final = 24 * 3600
WAITING: Final = frozenset({"validating", "in_progress", "finalizing", "cancelling"})
"""Statuses of a batch that is not over."""


class File(msgspec.Struct, frozen=True):
    """A stored file, without its bytes."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    expires_at: int | None = None
    object: str = "file"
    status: str = "processed"


class Counts(msgspec.Struct, frozen=True):
    """Requests of a batch."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a batch, or with one line of its input."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class Faults(msgspec.Struct, frozen=True):
    """All that is wrong, up to a bound."""

    data: list[Fault]
    object: str = "list"


class Batch(msgspec.Struct, frozen=True):
    """A file of requests and what became of it."""

    id: str
    endpoint: str
    input_file_id: str
    created_at: int
    expires_at: int
    status: str = "validating"
    object: str = "batch"
    completion_window: str = COMPLETION_WINDOW
    errors: Faults | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    in_progress_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: Counts = Counts()
    metadata: dict[str, str] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status not in WAITING


class StoredFile(msgspec.Struct, frozen=True):
    """A file's record on disk."""

    value: File
    owner: str = ""
    """The user it belongs to; empty where the gateway does not know users: everybody's."""


class StoredBatch(msgspec.Struct, frozen=True):
    """A batch's record on disk."""

    value: Batch
    owner: str = ""
    headers: dict[str, str] = {}
    """Who asked, as its requests say it again. No credentials."""


class Request(msgspec.Struct, frozen=True):
    """One line of an input file."""

    custom_id: str
    model: str
    body: msgspec.Raw
    line: int


def result(custom_id: str, *, identity: str, response: Any = None, error: Any = None) -> bytes:
    """One line of an output or error file."""
    line = {"id": identity, "custom_id": custom_id, "response": response, "error": error}
    return msgspec.json.encode(line) + b"\n"
