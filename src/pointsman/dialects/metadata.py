"""The request ``metadata`` object: strings only, bounded, as the OpenAI API defines it."""

from collections.abc import Mapping
from typing import Any

from pointsman.core.errors import RequestError

MAX_ENTRIES = 32
MAX_KEY = 128
MAX_VALUE = 1024


def checked_metadata(value: Any) -> Mapping[str, str]:
    """The metadata as strings. Raises ``RequestError`` for another shape or a bound exceeded."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RequestError("metadata: expected an object of strings", param="metadata")
    if len(value) > MAX_ENTRIES:
        raise RequestError(f"metadata: at most {MAX_ENTRIES} entries, got {len(value)}", param="metadata")
    for key, item in value.items():
        if not isinstance(item, str):
            raise RequestError(f"metadata.{key[:MAX_KEY]}: expected a string", param="metadata")
        if len(key) > MAX_KEY or len(item) > MAX_VALUE:
            message = f"metadata.{key[:MAX_KEY]}: keys are at most {MAX_KEY} characters, values {MAX_VALUE}"
            raise RequestError(message, param="metadata")
    return value
