"""What the user thinks of the previous answer, read off the current turn.

Only where an assistant has answered before; else nothing matches. An outcome as probable as the threshold
of ``feedback_detector`` matches; where none is, and for a new request, the user is taken to be ``satisfied``.
There is no trained head: example texts of the package decide (see ``exemplars``), with ordinary requests,
which say nothing about the answer, as one more class.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals import fact_check
from pointsman.signals.base import Evaluator, TextEncoder
from pointsman.signals.exemplars import ExemplarClassifier, shipped
from pointsman.signals.off import SwitchedOff

FAMILY: Final = "user_feedback"
SATISFIED: Final = "satisfied"
_NEW_REQUEST: Final = "new_request"


def texts() -> Mapping[str, tuple[str, ...]]:
    """The classes and their texts: the outcomes, and requests that are none."""
    requests = tuple(text for each in shipped(fact_check.FAMILY).values() for text in each)
    return {**shipped(FAMILY), _NEW_REQUEST: requests}


def outcome(probabilities: Mapping[str, float], threshold: float) -> tuple[str, Mapping[str, float]]:
    """The outcome that matches, and the probability of each."""
    shares = {name: value for name, value in probabilities.items() if name != _NEW_REQUEST}
    shares[SATISFIED] += probabilities.get(_NEW_REQUEST, 0.0)
    top = max(shares, key=shares.__getitem__)
    return (top if shares[top] >= threshold else SATISFIED), shares


class UserFeedbackEvaluator:
    """All outcomes, answered by one embedding. An encoder that fails fails all of them."""

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
        if not any(message.role == "assistant" for message in request.earlier):
            return tuple(Signal(key, matched=False) for key in self.keys)
        found, shares = outcome(
            self._classifier.probabilities(await self._encoder.embed(request.text)), self._threshold
        )
        return tuple(
            Signal(
                key,
                matched=key.name == found,
                confidence=shares[key.name],
                detail=f"{key.name} {shares[key.name]:.2f}" if key.name == found else "",
            )
            for key in self.keys
        )


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> Evaluator:
    """The evaluator of the outcomes in use."""
    del signals, where
    keys = {key for key in used if key.family == FAMILY}
    module = settings.global_.model_catalog.modules.feedback_detector
    if not module.enabled:
        return SwitchedOff(FAMILY, keys, by="feedback_detector.enabled")
    classifier = ExemplarClassifier.fitted(encoder, texts())
    return UserFeedbackEvaluator(encoder, classifier, keys=keys, threshold=module.threshold)
