"""The first kind of model folder: an unchanged encoder and one domain head with a lexicon."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pointsman.encoder.errors import EncoderError, ModelFilesError
from pointsman.encoder.heads import LinearHead
from pointsman.encoder.model import Findings, Part, Plan
from pointsman.encoder.model_files import ModelFiles
from pointsman.encoder.session import Engine
from pointsman.encoder.tokenizer import Reading, WordPieces
from pointsman.encoder.values import Encoding
from pointsman.encoder.windows import Slice, Window

DOMAIN = "domain"
_NO_COMPLEXITY: Mapping[str, float] = MappingProxyType({})


class FrozenModel:
    """Every text is read alone; there is no jailbreak, complexity or PII head."""

    batches = False
    dimension = None

    def __init__(self, files: ModelFiles) -> None:
        manifest = files.manifest
        self._tokenizer = WordPieces(files.tokenizer, max_tokens=manifest.max_tokens)
        heads = {
            name: LinearHead.from_npz(content, dimension=manifest.dimension, clues=self._tokenizer.clue_count)
            for name, content in files.heads.items()
        }
        if DOMAIN not in heads:
            raise ModelFilesError(f"the manifest names no {DOMAIN!r} head")
        self._head = heads[DOMAIN]
        self._engine = Engine(files.graph, dimension=manifest.dimension)
        self.identity = f"{manifest.engine}/{manifest.precision}"
        self.labels = self._head.labels

    def read(self, readings: Sequence[Reading]) -> list[Findings]:
        """See `Model.read`."""
        return [Findings(self._encoding(reading), alone=True, scan=None) for reading in readings]

    def plan(self, slices: tuple[Slice, ...], *, tokens: int) -> Plan:  # noqa: ARG002  # nothing to plan
        """Refuse: see `Model.plan`."""
        raise EncoderError("this model has no heads to scan with")

    def scan(self, plan: Plan, windows: Sequence[Window]) -> Part:  # noqa: ARG002  # nothing to read
        """Refuse: see `Model.scan`."""
        raise EncoderError("this model has no heads to scan with")

    def _encoding(self, reading: Reading) -> Encoding:
        pieces = self._tokenizer.pieces(reading)
        embedding = self._engine.embed(pieces.marked)
        found = self._head.probabilities(embedding, pieces.clues).tolist()
        return Encoding(
            embedding=embedding,
            domains=MappingProxyType(dict(zip(self._head.labels, found, strict=True))),
            jailbreak=math.nan,
            complexity=_NO_COMPLEXITY,
            tokens=len(pieces.words),
            truncated=pieces.truncated,
        )
