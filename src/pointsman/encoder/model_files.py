"""The model folder: what it must hold, and proof that it holds exactly that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from pointsman.encoder.errors import ModelFilesError

SHIPPED = Path(__file__).parent / "model"
"""The folder inside the installed package."""

MANIFEST = "manifest.json"

PlainName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `manifest.json` says about the files beside it."""

    engine: str
    """Names the network and its weights; vectors of two engines must never be compared."""

    precision: str
    """Arithmetic of the shipped graph; the same network in another precision gives other vectors."""

    dimension: Count
    max_tokens: Annotated[int, msgspec.Meta(ge=4)]
    """Longest input of one pass in word pieces, its two markers included."""

    graph: PlainName
    tokenizer: PlainName
    heads: dict[str, PlainName]
    """Name of each head -> its file."""

    sha256: dict[PlainName, Sha256]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The content of a model folder, every byte of it checked against the manifest."""

    manifest: Manifest
    graph: bytes
    tokenizer: bytes
    heads: Mapping[str, bytes]


def read_model(directory: Path) -> ModelFiles:
    """Read and check a model folder.

    The bytes returned are the bytes that were hashed, so a file swapped in between changes nothing.
    Raises ModelFilesError naming the file that is missing, unlisted or different.
    """
    try:
        manifest = msgspec.json.decode(read_file(directory / MANIFEST), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelFilesError(f"{directory / MANIFEST}: {error}") from error
    return ModelFiles(
        manifest=manifest,
        graph=checked(directory, manifest.graph, manifest.sha256),
        tokenizer=checked(directory, manifest.tokenizer, manifest.sha256),
        heads={name: checked(directory, file, manifest.sha256) for name, file in manifest.heads.items()},
    )


def checked(directory: Path, name: str, hashes: Mapping[str, str]) -> bytes:
    """Read a file of a model folder; raises ModelFilesError unless it is there and has its sha256."""
    path = directory / name
    expected = hashes.get(name)
    if expected is None:
        raise ModelFilesError(f"{directory / MANIFEST}: no sha256 for {name}")
    content = read_file(path)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ModelFilesError(
            f"{path}: sha256 is {found}, the manifest says {expected}; reinstall the package"
        )
    return content


def read_file(path: Path) -> bytes:
    """Read a file; raises ModelFilesError with its path."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFilesError(f"{path}: {error.strerror or error}") from error
