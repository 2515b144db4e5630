"""Nearness in meaning to example texts.

A rule whose score reaches its threshold matches. Where no rule does, those from ``min_score_threshold`` on
match softly, if the document leaves soft matching on. Of the rules that match, the ``top_k`` best remain,
among all rules of the document: one that no decision asks for still competes.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.model_catalog import EmbeddingConfig
from pointsman.config.signals import EmbeddingSignal, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Floats, TextEncoder
from pointsman.signals.examples import embedded
from pointsman.signals.prototypes import Bank, Scoring, leaders, prototypes, score

FAMILY: Final = "embedding"

_TEXT: Final = "text"
_PROTOTYPES: Final = "max"
_AGGREGATE: Final[Mapping[str, Callable[[Floats], float]]] = MappingProxyType(
    {"mean": lambda cosines: float(cosines.mean()), "any": lambda cosines: float(cosines.max())}
)
"""How the similarities with the examples themselves combine; ``max`` is the score of their prototypes."""


class Choice(msgspec.Struct, frozen=True):
    """How rules compete."""

    top_k: int = 1
    """Rules that may match at once; 0 is all."""
    soft_from: float | None = 0.5
    """Score of a weak match; None for none."""
    lead: float = 0.0

    @classmethod
    def of(cls, written: EmbeddingConfig) -> "Choice":
        """As the document says."""
        soft = written.min_score_threshold if written.enable_soft_matching else None
        return cls(written.top_k, soft, written.prototype_scoring.margin_threshold)


def matching(
    scores: Mapping[str, float], thresholds: Mapping[str, float], choice: Choice
) -> tuple[Sequence[str], bool]:
    """The rules that match, best first, and whether they match softly."""
    hard = {name: value for name, value in scores.items() if value >= thresholds[name]}
    if hard:
        return _kept(hard, scores, choice), False
    if choice.soft_from is None:
        return (), False
    soft = {name: value for name, value in scores.items() if value >= choice.soft_from}
    return _kept(soft, scores, choice), True


def _kept(found: Mapping[str, float], scores: Mapping[str, float], choice: Choice) -> Sequence[str]:
    if choice.top_k == 0:
        return [*found]
    ranked = [name for name in leaders(scores, choice.lead) if name in found]
    return ranked[: choice.top_k]


class EmbeddingEvaluator:
    """All rules, answered by one embedding. An encoder that fails fails all of them."""

    family = FAMILY
    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        rules: Sequence[EmbeddingSignal],
        vectors: Mapping[str, Floats],
        *,
        keys: AbstractSet[SignalKey],
        scoring: Scoring,
        choice: Choice,
    ) -> None:
        self._encoder = encoder
        self._how = {rule.name: rule.aggregation_method for rule in rules}
        self._thresholds = {rule.name: rule.threshold for rule in rules}
        self._scoring = scoring
        self._choice = choice
        self._bank = Bank.of(
            {
                name: prototypes(each, scoring) if self._how[name] == _PROTOTYPES else each
                for name, each in vectors.items()
            }
        )
        self.keys = frozenset(keys)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each key; an empty text matches nothing. Raises what the encoder raises."""
        if not self.keys or not request.text.strip():
            return tuple(Signal(key, matched=False) for key in self.keys)
        similarities = self._bank.similarities(await self._encoder.embed(request.text))
        scores = {name: self._score(name, cosines) for name, cosines in similarities.items()}
        found, soft = matching(scores, self._thresholds, self._choice)
        return tuple(self._signal(key, scores[key.name], key.name in found, soft=soft) for key in self.keys)

    def _score(self, name: str, cosines: Floats) -> float:
        how = self._how[name]
        return score(cosines, self._scoring) if how == _PROTOTYPES else _AGGREGATE[how](cosines)

    def _signal(self, key: SignalKey, value: float, matched: bool, *, soft: bool) -> Signal:  # noqa: FBT001
        below = f" < {self._thresholds[key.name]:g}" if soft else ""
        detail = f"similarity {value:.2f}{below}" if matched else ""
        return Signal(key, matched=matched, confidence=min(1.0, max(0.0, value)), detail=detail)


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> EmbeddingEvaluator:
    """The evaluator of all rules on text; those on images and sounds stay without a signal.

    Raises ConfigError for rules without examples, and for more examples than can be embedded.
    """
    path = f"{where}.signals.embeddings"
    problems = [
        Problem(
            Severity.ERROR,
            f"{path}[{index}].candidates",
            "has no example to be near to",
            "list texts that should match",
        )
        for index, rule in enumerate(signals.embeddings)
        if rule.query_modality == _TEXT and not rule.candidates
    ]
    if problems:
        raise ConfigError(problems)
    config = settings.global_.model_catalog.embeddings.semantic.embedding_config
    rules = [rule for rule in signals.embeddings if rule.query_modality == _TEXT]
    names = {rule.name for rule in rules}
    return EmbeddingEvaluator(
        encoder,
        rules,
        embedded(encoder, {rule.name: rule.candidates for rule in rules}, where=path),
        keys={key for key in used if key.family == FAMILY and key.name in names},
        scoring=Scoring.of(config.prototype_scoring),
        choice=Choice.of(config),
    )
