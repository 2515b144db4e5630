"""The model folder: what its manifest says, and files proven to be the ones it means."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pointsman.encoder.errors import ModelFilesError

SHIPPED = Path(__file__).parent / "model"
"""The folder inside the installed package."""

MANIFEST = "manifest.json"
GRAPH = "encoder.onnx"
TOKENIZER = "tokenizer.json"

PlainName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Head(msgspec.Struct, frozen=True):
    """One head: how it reads the network and what it tells apart."""

    kind: Literal["sequence", "token"]
    """`sequence` sees first token, mean and maximum of a text, `token` sees each word piece."""

    file: PlainName
    labels: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True):
    """What `manifest.json` says; keys it has beyond these describe the training and are not read."""

    engine: str
    """Names the network."""

    revision: str
    """Names this set of weights; vectors of two revisions must never be compared."""

    precision: str
    """Arithmetic of the shipped graph."""

    dimension: Count
    max_tokens: Annotated[int, msgspec.Meta(ge=4)]
    """Longest input of one pass in word pieces, its two markers included."""

    files: dict[PlainName, Sha256]
    heads: dict[str, Head]


@dataclass(frozen=True, slots=True)
class Folder:
    """A model folder whose manifest has been read."""

    directory: Path
    manifest: Manifest

    def content(self, name: str) -> bytes:
        """Read a file; raises ModelFilesError when it is missing, unlisted or different."""
        return checked(self.directory, name, self.manifest.files)

    def head(self, name: str, kind: str) -> tuple[bytes, tuple[str, ...]]:
        """Read a head's file and give its labels; raises ModelFilesError when there is no such head."""
        found = self.manifest.heads.get(name)
        if found is None or found.kind != kind:
            raise ModelFilesError(f"{self.directory / MANIFEST}: no {kind} head {name!r}")
        return self.content(found.file), found.labels


def open_folder(directory: Path) -> Folder:
    """Read the manifest; raises ModelFilesError when it is missing, not JSON, or lacks something."""
    path = directory / MANIFEST
    content = read_file(path)
    try:
        return Folder(directory, msgspec.json.decode(content, type=Manifest))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelFilesError(f"{path}: {error}") from error


def checked(directory: Path, name: str, hashes: Mapping[str, str]) -> bytes:
    """Read a file of a model folder; raises ModelFilesError unless it is there and has its sha256.

    The bytes returned are the bytes that were hashed, so a file swapped in between changes nothing.
    """
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
