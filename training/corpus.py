"""The labelled questions, as the very engine that will read the requests sees them."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pointsman.encoder.model_files import SHIPPED
from pointsman.encoder.session import Engine
from pointsman.encoder.tokenizer import WordPieces, cut

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "shared/data"
CACHE = HERE / "cache"
SEED = 20260801
DIMENSION = 384
MAX_TOKENS = 512
CHUNK = 1000

Floats = NDArray[np.float32]


class Row(msgspec.Struct, frozen=True):
    """One labelled question."""

    text: str
    label: str
    source: str
    split: str
    kind: str
    lang: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows with what a head sees of them."""

    rows: tuple[Row, ...]
    embeddings: Floats
    """Shape (rows, dimension)."""

    words: csr_matrix
    """Shape (rows, clues): 1 / sqrt(clues of the row) where a clue occurs, as LinearHead divides."""

    def where(self, wanted: Sequence[bool]) -> "Corpus":
        """Keep the rows marked true."""
        mask = np.asarray(wanted, dtype=np.bool_)
        kept = tuple(row for row, keep in zip(self.rows, wanted, strict=True) if keep)
        return Corpus(rows=kept, embeddings=self.embeddings[mask], words=self.words[mask])

    def split(self, name: str) -> "Corpus":
        """Keep the rows of one split."""
        return self.where([row.split == name for row in self.rows])

    @property
    def labels(self) -> NDArray[np.str_]:
        """The true label of each row, shape (rows,)."""
        return np.array([row.label for row in self.rows])


def load_rows(data: Path) -> tuple[Row, ...]:
    """Read the labelled questions."""
    content = gzip.decompress((data / "domain.jsonl.gz").read_bytes())
    return tuple(msgspec.json.decode(line, type=Row) for line in content.splitlines())


def load_corpus(data: Path, *, model: Path = SHIPPED, cache: Path = CACHE) -> Corpus:
    """Read the rows and embed them, resuming from the cache where an earlier run stopped."""
    rows = load_rows(data)
    graph, tokenizer = (model / "encoder.onnx").read_bytes(), (model / "tokenizer.json").read_bytes()
    content = "\n".join(row.text for row in rows).encode()
    name = hashlib.sha256(content + graph + tokenizer).hexdigest()[:16]
    pieces = WordPieces(tokenizer, max_tokens=MAX_TOKENS)
    texts = [pieces.pieces(cut(row.text)) for row in rows]
    engine = Engine(graph, dimension=DIMENSION)
    embeddings = _embedded([text.marked for text in texts], engine, cache / f"domain-{name}")
    return Corpus(
        rows=rows, embeddings=embeddings, words=_occurrence([text.clues for text in texts], pieces.clue_count)
    )


def _embedded(texts: Sequence[list[int]], engine: Engine, folder: Path) -> Floats:
    folder.mkdir(parents=True, exist_ok=True)
    chunks = []
    for start in range(0, len(texts), CHUNK):
        path = folder / f"{start:06d}.npy"
        if not path.exists():
            part = np.stack([engine.embed(text) for text in texts[start : start + CHUNK]])
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.save(file, part)
            unfinished.rename(path)
            print(f"embedded {start + len(part):,} of {len(texts):,} texts", flush=True)
        chunks.append(np.load(path))
    return np.concatenate(chunks)


def _occurrence(texts: Sequence[list[int]], clue_count: int) -> csr_matrix:
    counts = np.array([len(clues) for clues in texts])
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    columns = np.array([clue for clues in texts for clue in clues], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((values, columns, starts), shape=(len(texts), clue_count))
