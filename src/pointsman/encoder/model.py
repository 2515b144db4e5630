"""The network with its heads: one pass tells a text's subject, difficulty, intent and secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding as Tokens

from pointsman.encoder.engine import Engine, Floats
from pointsman.encoder.entities import BioScheme, decode
from pointsman.encoder.findings import Findings, Part, Plan, concluded
from pointsman.encoder.groups import grouped
from pointsman.encoder.normalise import Normalised, normalise
from pointsman.encoder.perceptron import Perceptron, SequenceHeads, TokenHead, softmax
from pointsman.encoder.tokenizer import Reading, WordPieces
from pointsman.encoder.values import Encoding, Entity, Peak, Scan
from pointsman.encoder.windows import BODY, Slice, Window, windows, within

DOMAIN, JAILBREAK, COMPLEXITY, PII = "domain", "jailbreak", "complexity", "pii"
PLACED_CHARACTERS = 8 * BODY
"""Texts longer than this never fit one window, so the places of their pieces are not kept."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    text: Normalised
    whole: bool
    """Whether all of the text fits one window."""

    marked: list[int]
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of a slice: their numbers, their places, and the word each belongs to."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]

    @classmethod
    def of(cls, tokens: Tokens) -> Self:
        return cls(tokens.ids, tokens.offsets, tokens.word_ids)


class Model:
    """Runs the network over texts and the heads over what it says; safe to use from several threads."""

    def __init__(
        self,
        *,
        identity: str,
        engine: Engine,
        tokenizer: WordPieces,
        sequence: dict[str, Perceptron],
        pii: TokenHead,
        dimension: int,
    ) -> None:
        self.identity = identity
        """Names everything a vector depends on: vectors of two identities must never be compared."""
        self.dimension = dimension
        """Length of a vector; `Findings.features` holds three."""
        self.labels = sequence[DOMAIN].labels
        """The domain labels."""
        self._engine = engine
        self._tokenizer = tokenizer
        self._sequence = SequenceHeads(sequence)
        self._names = {name: head.labels for name, head in sequence.items()}
        self._jailbreak = sequence[JAILBREAK].labels.index(JAILBREAK)
        self._pii = pii
        self._scheme = BioScheme.of(pii.labels)

    def read(self, readings: Sequence[Reading]) -> list[Findings]:
        """Read texts; several may share a pass, one is always alone."""
        prepared = self._prepared(readings)
        found: dict[int, Findings] = {}
        for group in grouped([len(each.marked) for each in prepared]):
            hidden = self._hidden([prepared[place].marked for place in group])
            for place, layer in zip(group, hidden, strict=True):
                found[place] = self._findings(prepared[place], layer, alone=len(group) == 1)
        return [found[place] for place in range(len(readings))]

    def plan(self, slices: tuple[Slice, ...], *, tokens: int) -> Plan:
        """Prepare a scan of about `tokens` word pieces at most."""
        texts = tuple(normalise(each.text) for each in slices)
        pieces = self._tokenizer.encoded([text.text for text in texts], placed=True)
        found = windows([len(each) for each in pieces])
        kept = within(found, tokens=tokens)
        sampled = len(slices) > 1 or len(kept) < len(found)
        return Plan(slices=slices, texts=texts, tokens=tuple(pieces), windows=kept, sampled=sampled)

    def scan(self, plan: Plan, windows: Sequence[Window]) -> Part:
        """Read some windows of a plan in one pass."""
        # The tokenizer's own result makes these lists of a whole slice anew whenever it is asked.
        pieces = {number: _Pieces.of(plan.tokens[number]) for number in {window.slice for window in windows}}
        marked = [
            self._tokenizer.marked(pieces[window.slice].ids[window.start : window.end]) for window in windows
        ]
        peaks: list[Peak] = []
        entities: list[Entity] = []
        for window, hidden in zip(windows, self._hidden(marked), strict=True):
            told = self._sequence.probabilities(_features(hidden, hidden.mean(axis=0)))
            offsets = pieces[window.slice].offsets[window.start : window.end]
            start, end = (offsets[0][0], offsets[-1][1]) if offsets else (0, 0)
            place = plan.original(window.slice, start, end)
            peaks.append(Peak(float(told[JAILBREAK][self._jailbreak]), *place))
            probabilities = self._personal(hidden)
            if probabilities is not None:
                words = pieces[window.slice].words[window.start : window.end]
                entities += [
                    Entity(found.label, *plan.original(window.slice, found.start, found.end), found.score)
                    for found in decode(self._scheme, probabilities, words, offsets)
                ]
        return Part(max(peaks, key=lambda peak: peak.probability), tuple(entities))

    def _prepared(self, readings: Sequence[Reading]) -> list[_Prepared]:
        """Normalise and tokenise all texts in one call."""
        heads = [normalise(reading.head) for reading in readings]
        tails = [normalise(reading.tail).text for reading in readings if reading.tail]
        pieces = self._tokenizer.encoded([*(head.text for head in heads), *tails], placed=False)
        ends = iter(pieces[len(heads) :])
        prepared: list[_Prepared] = []
        for reading, head, start in zip(readings, heads, pieces, strict=False):
            ids, truncated = self._tokenizer.fitted(start.ids, next(ends).ids if reading.tail else None)
            whole = not reading.tail and len(ids) <= BODY and len(head.text) <= PLACED_CHARACTERS
            prepared.append(_Prepared(head, whole, self._tokenizer.marked(ids), truncated))
        return prepared

    def _hidden(self, marked: list[list[int]]) -> list[Floats]:
        """Run one pass; gives each text's own last layer, shape (tokens, dimension)."""
        longest = max(len(ids) for ids in marked)
        numbers = np.zeros((len(marked), longest), dtype=np.int64)
        mask = np.zeros_like(numbers)
        for row, ids in enumerate(marked):
            numbers[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        hidden = self._engine.hidden(numbers, mask)
        return [layer[: len(ids)] for layer, ids in zip(hidden, marked, strict=True)]

    def _findings(self, prepared: _Prepared, hidden: Floats, *, alone: bool) -> Findings:
        mean = hidden.mean(axis=0)
        embedding = mean / max(float(np.sqrt(mean @ mean)), 1e-12)
        embedding.setflags(write=False)
        features = _features(hidden, mean)
        told = self._sequence.probabilities(features)
        jailbreak = float(told[JAILBREAK][self._jailbreak])
        encoding = Encoding(
            embedding=embedding,
            domains=self._named(DOMAIN, told[DOMAIN]),
            jailbreak=jailbreak,
            complexity=self._named(COMPLEXITY, told[COMPLEXITY]),
            tokens=len(prepared.marked) - 2,
            truncated=prepared.truncated,
        )
        scan = self._scan(prepared, hidden, jailbreak) if prepared.whole else None
        return Findings(encoding, alone=alone, scan=scan, features=features)

    def _scan(self, prepared: _Prepared, hidden: Floats, jailbreak: float) -> Scan:
        """Make the scan of a text that is its own only window."""
        text = prepared.text
        probabilities = self._personal(hidden)
        entities: tuple[Entity, ...] = ()
        if probabilities is not None:
            # Where pieces stand takes the tokenizer longer to tell, and most texts name nobody.
            tokens = self._tokenizer.encoded([text.text], placed=True)[0]
            found = decode(self._scheme, probabilities, tokens.word_ids, tokens.offsets)
            entities = tuple(
                Entity(each.label, *text.original(each.start, each.end), each.score) for each in found
            )
        part = Part(Peak(jailbreak, *text.original(0, len(text.text))), entities)
        return concluded([part], tokens=len(prepared.marked) - 2, sampled=False, disguised=text.disguised)

    def _personal(self, hidden: Floats) -> Floats | None:
        """Give what each piece of a window is to the token head, None when nothing is anything to it."""
        scores = self._pii.scores(hidden[1:-1])
        return None if self._scheme.silent(scores) else softmax(scores)

    def _named(self, name: str, probabilities: NDArray[np.float32]) -> MappingProxyType[str, float]:
        return MappingProxyType(dict(zip(self._names[name], probabilities.tolist(), strict=True)))


def _features(hidden: Floats, mean: Floats) -> Floats:
    """What sequence heads see: first token, mean and maximum, (tokens, dimension) to (3 x dimension,)."""
    return np.concatenate((hidden[0], mean, np.maximum.reduce(hidden)))
