"""A described preference, recognised by its description and examples.

Each is a set of prototypes; the best preference of the document matches, where it reaches its threshold and
has the lead that ``margin_threshold`` asks for. (An external model as judge is not offered.)
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Floats, TextEncoder
from pointsman.signals.examples import embedded
from pointsman.signals.prototypes import Bank, Scoring, leaders, prototypes

FAMILY: Final = "preference"


class PreferenceEvaluator:
    """All preferences, answered by one embedding. An encoder that fails fails all of them."""

    family = FAMILY
    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        vectors: Mapping[str, Floats],
        thresholds: Mapping[str, float],
        *,
        keys: AbstractSet[SignalKey],
        scoring: Scoring,
    ) -> None:
        self._encoder = encoder
        self._scoring = scoring
        self._thresholds = thresholds
        self._bank = Bank.of({name: prototypes(each, scoring) for name, each in vectors.items()})
        self.keys = frozenset(keys)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each key; an empty text matches nothing. Raises what the encoder raises."""
        if not request.text.strip():
            return tuple(Signal(key, matched=False) for key in self.keys)
        scores = self._bank.scores(await self._encoder.embed(request.text), self._scoring)
        best = next(iter(leaders(scores, self._scoring.lead)), None)
        winner = best if best is not None and scores[best] >= self._thresholds[best] else None
        return tuple(
            Signal(
                key,
                matched=key.name == winner,
                confidence=min(1.0, max(0.0, scores[key.name])),
                detail=f"similarity {scores[key.name]:.2f}" if key.name == winner else "",
            )
            for key in self.keys
        )


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> PreferenceEvaluator:
    """The evaluator of all preferences of the document, of which those in use have a signal.

    A threshold that is not written is the one of weak embedding matches. Raises ConfigError for preferences
    that say nothing, and for more examples than can be embedded.
    """
    path = f"{where}.signals.preferences"
    texts = {
        rule.name: [text for text in (rule.description, *rule.examples) if text.strip()]
        for rule in signals.preferences
    }
    problems = [
        Problem(
            Severity.ERROR,
            f"{path}[{index}].examples",
            f"the preference {rule.name!r} has neither a description nor examples",
            "describe it, or list requests that show it",
        )
        for index, rule in enumerate(signals.preferences)
        if not texts[rule.name]
    ]
    if problems:
        raise ConfigError(problems)
    catalog = settings.global_.model_catalog
    shared = catalog.embeddings.semantic.embedding_config
    return PreferenceEvaluator(
        encoder,
        embedded(encoder, texts, where=path),
        {
            rule.name: shared.min_score_threshold if rule.threshold is None else rule.threshold
            for rule in signals.preferences
        },
        keys={key for key in used if key.family == FAMILY},
        scoring=Scoring.of(catalog.modules.classifier.preference.prototype_scoring, shared.prototype_scoring),
    )
