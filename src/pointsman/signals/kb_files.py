"""The files of a knowledge base: a manifest of labels with example texts.

A JSON object; ``labels`` maps each label to ``{"description": ..., "exemplars": [...]}``. A label may name
a file beside the manifest instead, ``{"file": "security.txt"}``, with an example text a line. What else
the manifest holds (``version``, ``description``) is for people.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pointsman.config.model_catalog import KbSource
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity

MAX_BYTES: Final = 16 * 1024 * 1024
"""Longest file of a knowledge base."""


def labels_of(source: KbSource, *, where: str) -> Mapping[str, tuple[str, ...]]:
    """The example texts by label; labels without any are left out.

    Raises ConfigError at the key path ``where`` for files that cannot be read or are not as they should be.
    """
    folder = Path(source.path)
    manifest = folder / source.manifest
    try:
        return _labels(manifest, folder)
    except (OSError, ValueError) as error:
        message = f"{manifest} cannot be used: {error}"
        remedy = 'write {"labels": {"NAME": {"exemplars": ["TEXT", ...]}}}; see docs/signals.md'
        raise ConfigError([Problem(Severity.ERROR, f"{where}.source", message, remedy)]) from error


def _labels(manifest: Path, folder: Path) -> Mapping[str, tuple[str, ...]]:
    page = json.loads(_text(manifest))
    labels = page.get("labels") if isinstance(page, dict) else None
    if not isinstance(labels, dict):
        raise ValueError("it has no object called labels")  # noqa: TRY004  # one kind of error for a bad file
    found = {name: _exemplars(name, label, folder) for name, label in labels.items()}
    found = {name: texts for name, texts in found.items() if texts}
    if not found:
        raise ValueError("no label has an example text")
    return found


def _exemplars(name: str, label: Any, folder: Path) -> tuple[str, ...]:
    if not isinstance(label, dict):
        raise ValueError(f"the label {name!r} is no object")  # noqa: TRY004  # as above
    texts = label.get("exemplars", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"the exemplars of {name!r} are no list of texts")
    if "file" in label:
        texts = [*texts, *_text(folder / str(label["file"])).splitlines()]
    return tuple(text.strip() for text in texts if text.strip())


def _text(path: Path) -> str:
    with path.open("rb") as file:
        read = file.read(MAX_BYTES + 1)
    if len(read) > MAX_BYTES:
        raise ValueError(f"{path.name} is longer than {MAX_BYTES} bytes")
    return read.decode("utf-8")
