"""Whether the request asks for facts that an answer could get wrong.

From the threshold of ``hallucination_mitigation.fact_check`` on it is ``needs_fact_check``, below it
``no_fact_check_needed``. There is no trained head: example texts of the package decide (see ``exemplars``).
"""

from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import TextEncoder
from pointsman.signals.exemplars import ExemplarClassifier, shipped

FAMILY: Final = "fact_check"
NEEDED, NOT_NEEDED = "needs_fact_check", "no_fact_check_needed"


class FactCheckEvaluator:
    """Both outcomes, answered by one embedding. An encoder that fails fails both."""

    family = FAMILY
    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        classifier: ExemplarClassifier,
        *,
        keys: AbstractSet[SignalKey],
        threshold: float,
    ) -> None:
        self._encoder = encoder
        self._classifier = classifier
        self._threshold = threshold
        self.keys = frozenset(keys)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each key; its confidence is the probability of that outcome."""
        probabilities = self._classifier.probabilities(await self._encoder.embed(request.text))
        needed = probabilities[NEEDED] >= self._threshold
        outcome = NEEDED if needed else NOT_NEEDED
        return tuple(
            Signal(
                key,
                matched=key.name == outcome,
                confidence=probabilities[key.name],
                detail=f"{NEEDED} {probabilities[NEEDED]:.2f}" if key.name == outcome else "",
            )
            for key in self.keys
        )


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> FactCheckEvaluator:
    """The evaluator of the outcomes in use."""
    del signals, where
    module = settings.global_.model_catalog.modules.hallucination_mitigation.fact_check
    return FactCheckEvaluator(
        encoder,
        ExemplarClassifier.fitted(encoder, shipped(FAMILY)),
        keys={key for key in used if key.family == FAMILY},
        threshold=module.threshold,
    )
