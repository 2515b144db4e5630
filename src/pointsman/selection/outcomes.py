"""Labelled outcomes as a file: what ``select-train`` writes and ``knn`` reads."""

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from pointsman.selection.embedder import Floats

FORMAT: Final = "pointsman-outcomes-1"
MAX_BYTES: Final = 512 * 2**20
MAX_ROWS: Final = 100_000
MAX_MODELS: Final = 256
_KEYS: Final = frozenset({"format", "encoder", "models", "vectors", "scores"})


class OutcomesError(Exception):
    """The file is not what it should be; the message says why."""


class Outcomes(msgspec.Struct, frozen=True):
    """How well each model did on each request."""

    encoder: str
    """Identity of the encoder that made the vectors."""
    models: tuple[str, ...]
    vectors: Floats
    """Unit vectors of the requests, one a row."""
    scores: Floats
    """One column a model, 0..1; NaN where a model was not tried."""

    def save(self, path: Path) -> None:
        """Write the file in one step: a reader sees the old one or the new one. Raises ``OSError``."""
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as out:
                np.savez_compressed(
                    out,
                    format=np.array(FORMAT),
                    encoder=np.array(self.encoder),
                    models=np.array(self.models),
                    vectors=self.vectors.astype(np.float16),
                    scores=self.scores.astype(np.float32),
                )
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path) -> "Outcomes":
        """Read a file that ``save`` wrote. Raises ``OutcomesError`` for anything else."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise OutcomesError(f"is larger than {MAX_BYTES // 2**20} MiB")
            with np.load(path, allow_pickle=False) as file:
                if not set(file.files) >= _KEYS or str(file["format"]) != FORMAT:
                    raise OutcomesError("was not written by pointsman select-train")
                found = cls(
                    encoder=str(file["encoder"]),
                    models=tuple(map(str, np.atleast_1d(file["models"]))),
                    vectors=file["vectors"].astype(np.float32),
                    scores=file["scores"].astype(np.float32),
                )
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise OutcomesError("was not written by pointsman select-train") from error
        except OSError as error:
            raise OutcomesError(f"cannot be read: {error.strerror or error}") from error
        return found.checked()

    def checked(self) -> "Outcomes":
        """The same when its parts fit together. Raises ``OutcomesError``."""
        rows = len(self.vectors)
        fits = self.vectors.ndim == 2 and self.scores.shape == (rows, len(self.models))
        if not fits or not rows or not np.isfinite(self.vectors).all() or np.isinf(self.scores).any():
            raise OutcomesError("has parts that do not fit together")
        if rows > MAX_ROWS or len(self.models) > MAX_MODELS:
            raise OutcomesError(f"has more than {MAX_ROWS} rows or {MAX_MODELS} models")
        return self
