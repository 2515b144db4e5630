"""The labels of a classifier of the user's own: what its files say, and what the document says."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.folder import read_file
from pointsman.encoder.plug_errors import PlugRefused

_PLACEHOLDER = re.compile(r"LABEL_\d+")


class _Description(msgspec.Struct):
    """The part of a transformers `config.json` that names labels."""

    id2label: dict[int, str] = {}


def agreed(named: Sequence[str], wanted: Sequence[str], *, path: Path) -> tuple[str, ...]:
    """Give the labels in the order of the outputs: the file's where it names them, else the document's.

    Raises PlugRefused when neither names any, when they differ as sets, when one occurs twice, or when
    there are fewer than two to tell apart.
    """
    labels = tuple(named or wanted)
    if not labels:
        raise PlugRefused(
            f"nothing names the outputs of {path}", "list them in order as labels", key="labels"
        )
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise PlugRefused(
            f"{path}: the label {twice[0]!r} occurs twice", "name every output once", key="labels"
        )
    if wanted and set(wanted) != set(labels):
        raise PlugRefused(
            f"{path} has the labels {', '.join(labels)}; the document lists {', '.join(wanted)}",
            f"write labels: [{', '.join(labels)}]",
            key="labels",
        )
    if len(labels) < 2:
        raise PlugRefused(
            f"{path} has only the label {labels[0]!r}, whose probability is always 1",
            "give a classifier of two labels or more",
            key="labels",
        )
    return labels


def described(path: Path) -> tuple[str, ...]:
    """Read the labels off a `config.json`; none where it is missing or has only placeholders.

    Raises PlugRefused when it is no JSON, or its numbers leave one out.
    """
    if not path.exists():
        return ()
    try:
        labels = msgspec.json.decode(read_file(path), type=_Description, strict=False).id2label
    except (ModelFilesError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlugRefused(f"{path}: {error}", "correct its id2label, or remove the file") from error
    if sorted(labels) != list(range(len(labels))):
        raise PlugRefused(f"{path}: id2label has the numbers {sorted(labels)}", "number the labels from 0 on")
    if all(_PLACEHOLDER.fullmatch(label) for label in labels.values()):
        return ()
    return tuple(labels[number] for number in range(len(labels)))
