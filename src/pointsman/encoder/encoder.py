"""The public face: a text in, an `Encoding` out."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.heads import LinearHead
from pointsman.encoder.lru import LeastRecentlyUsed
from pointsman.encoder.model_files import SHIPPED, read_model
from pointsman.encoder.passes import SharedPasses
from pointsman.encoder.session import Engine
from pointsman.encoder.tokenizer import Reading, WordPieces, cut
from pointsman.encoder.values import Encoding

DOMAIN = "domain"
"""The head every model folder must have."""


class Encoder:
    """Reads texts with one encoder pass each; made by `load`, ended by `close`.

    Equal texts give bit-equal encodings on one machine. Results are kept by content, identical texts in
    flight share one pass, and both the memory and the queue are bounded.
    """

    def __init__(
        self,
        *,
        identity: str,
        engine: Engine,
        tokenizer: WordPieces,
        heads: Mapping[str, LinearHead],
        passes: SharedPasses[Encoding],
        cache: LeastRecentlyUsed[Encoding],
    ) -> None:
        self.identity = identity
        """Engine and precision: goes with every stored vector, vectors of two identities never mix."""
        self.labels = heads[DOMAIN].labels
        """The domain labels, in the order of the head."""
        self._engine = engine
        self._tokenizer = tokenizer
        self._heads = heads
        self._passes = passes
        self._cache = cache

    @classmethod
    def load(
        cls,
        *,
        directory: Path | None = None,
        threads: int = 2,
        cache_entries: int = 4096,
        max_pending: int = 256,
    ) -> Self:
        """Load a model folder, by default the one shipped in the package.

        `threads` passes run at once, `max_pending` run or wait, `cache_entries` results are kept (about
        3 KB each). Raises ModelFilesError when the folder is not what its manifest says, ValueError for
        bounds that make no sense.
        """
        files = read_model(directory or SHIPPED)
        manifest = files.manifest
        tokenizer = WordPieces(files.tokenizer, max_tokens=manifest.max_tokens)
        heads = {
            name: LinearHead.from_npz(content, dimension=manifest.dimension, clues=tokenizer.clue_count)
            for name, content in files.heads.items()
        }
        if DOMAIN not in heads:
            raise ModelFilesError(f"the manifest names no {DOMAIN!r} head")
        return cls(
            identity=f"{manifest.engine}/{manifest.precision}",
            engine=Engine(files.graph, dimension=manifest.dimension),
            tokenizer=tokenizer,
            heads=heads,
            passes=SharedPasses(threads=threads, max_pending=max_pending),
            cache=LeastRecentlyUsed(cache_entries),
        )

    async def encode(self, text: str) -> Encoding:
        """Encode a text in a worker thread.

        Raises EncoderBusy when too many passes are pending, EncoderError after `close`.
        """
        reading = cut(text)
        key = reading.digest()
        return self._cache.get(key) or await self._passes.result(key, partial(self._run, key, reading))

    def encode_now(self, text: str) -> Encoding:
        """Encode a text in the calling thread, for scripts and the command line."""
        reading = cut(text)
        key = reading.digest()
        return self._cache.get(key) or self._run(key, reading)

    def close(self) -> None:
        """End the worker threads and forget the results; passes still waiting raise EncoderError."""
        self._passes.close()
        self._cache.clear()

    def _run(self, key: bytes, reading: Reading) -> Encoding:
        pieces = self._tokenizer.pieces(reading)
        embedding = self._engine.embed(pieces.marked)
        head = self._heads[DOMAIN]
        domains = dict(zip(head.labels, head.probabilities(embedding, pieces.clues).tolist(), strict=True))
        encoding = Encoding(
            embedding=embedding,
            domains=MappingProxyType(domains),
            tokens=len(pieces.words),
            truncated=pieces.truncated,
        )
        # Kept before the pass ends, so that no moment exists in which it is neither pending nor known.
        self._cache.put(key, encoding)
        return encoding
