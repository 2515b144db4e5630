"""The folder of a fine-tuned model: what its manifest says, and files proven to be the ones it means."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.model_files import MANIFEST, Count, PlainName, Sha256, checked, read_file

GRAPH = "encoder.onnx"
PLAIN_GRAPH = "encoder-plain.onnx"
"""The same weights in standard operators, for engines that are not onnxruntime; a folder may lack it."""

TOKENIZER = "tokenizer.json"


class Head(msgspec.Struct, frozen=True):
    """One head: how it reads the network and what it tells apart."""

    kind: Literal["sequence", "token"]
    """`sequence` sees first token, mean and maximum of a text, `token` sees each word piece."""

    file: PlainName
    labels: tuple[str, ...]


class TunedManifest(msgspec.Struct, frozen=True):
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
    manifest: TunedManifest

    def content(self, name: str) -> bytes:
        """Read a file; raises ModelFilesError when it is missing, unlisted or different."""
        return checked(self.directory, name, self.manifest.files)

    def head(self, name: str, kind: str) -> tuple[bytes, tuple[str, ...]]:
        """Read a head's file and give its labels; raises ModelFilesError when there is no such head."""
        found = self.manifest.heads.get(name)
        if found is None or found.kind != kind:
            raise ModelFilesError(f"{self.directory / MANIFEST}: no {kind} head {name!r}")
        return self.content(found.file), found.labels


def open_folder(directory: Path) -> Folder | None:
    """Read the manifest; None when it describes the earlier kind of folder.

    Raises ModelFilesError when it is missing, not JSON, or lacks something.
    """
    path = directory / MANIFEST
    content = read_file(path)
    try:
        keys = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if "files" not in keys:
            return None
        return Folder(directory, msgspec.json.decode(content, type=TunedManifest))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelFilesError(f"{path}: {error}") from error
