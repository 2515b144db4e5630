"""Why a classifier of the user's own cannot be used."""

from collections.abc import Mapping
from typing import Literal

from pointsman.encoder.errors import EncoderError

Key = Literal["model_path", "labels"]
"""The key of the document that is at fault."""


class PlugRefused(EncoderError):
    """Files that are no classifier this encoder can run, or not the one the document describes."""

    def __init__(self, message: str, remedy: str, *, key: Key = "model_path") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.key = key


class PlugsRefused(EncoderError):
    """All classifiers that were refused, by name."""

    def __init__(self, faults: Mapping[str, PlugRefused]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)
