"""Whether text (``AR``), an image (``DIFFUSION``) or both are asked for.

By the words of the document (``method: keyword``), by example texts of the package (``classifier``, see
``exemplars``) or by both (``hybrid``): the examples decide where they are sure; where they are less sure,
``lower_threshold_ratio`` of the threshold is enough for what the words say too. Otherwise it is text.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.model_catalog import ModalityDetector
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Evaluator, TextEncoder
from pointsman.signals.exemplars import ExemplarClassifier, shipped
from pointsman.signals.off import SwitchedOff

FAMILY: Final = "modality"
TEXT, IMAGE, BOTH = "AR", "DIFFUSION", "BOTH"
THRESHOLD: Final = 0.5
LOWER_RATIO: Final = 0.7

_PATH: Final = "global.model_catalog.modules.modality_detector"


class Words(msgspec.Struct, frozen=True):
    """What the document says images are asked for with; compared without case."""

    prefixes: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    both: tuple[str, ...] = ()

    @classmethod
    def of(cls, module: ModalityDetector) -> "Words":
        """As the document says."""
        return cls(_folded(module.prompt_prefixes), _folded(module.keywords), _folded(module.both_keywords))

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.image or self.both)

    def outcome(self, text: str) -> str:
        """What the words of a text ask for."""
        folded = text.casefold().strip()
        if any(word in folded for word in self.both):
            return BOTH
        begins = folded.startswith(self.prefixes)
        return IMAGE if begins or any(word in folded for word in self.image) else TEXT


def _folded(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


class Bar(msgspec.Struct, frozen=True):
    """How probable a picture must be."""

    threshold: float = THRESHOLD
    lower_ratio: float = LOWER_RATIO
    """Share of the threshold that is enough for what the words say too."""

    @classmethod
    def of(cls, module: ModalityDetector) -> "Bar":
        """As the document says, the defaults where it does not."""
        threshold, ratio = module.confidence_threshold, module.lower_threshold_ratio
        return cls(THRESHOLD if threshold is None else threshold, LOWER_RATIO if ratio is None else ratio)

    def outcome(self, probabilities: Mapping[str, float], said: str | None) -> str:
        """What is asked for, given what the words say; None where there are none."""
        top = max(probabilities, key=probabilities.__getitem__)
        needed = self.threshold * (self.lower_ratio if said == top else 1)
        return top if probabilities[top] >= needed else TEXT


class ModalityEvaluator:
    """All outcomes. An encoder that fails fails all of them, except where words alone decide."""

    family = FAMILY

    def __init__(
        self,
        encoder: TextEncoder,
        classifier: ExemplarClassifier | None,
        *,
        keys: AbstractSet[SignalKey],
        words: Words,
        bar: Bar,
    ) -> None:
        self._encoder = encoder
        self._classifier = classifier
        self._words = words
        self._bar = bar
        self.immediate = classifier is None
        self.keys = frozenset(keys)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each key; its confidence is the outcome's probability, or 1 by words alone."""
        said = self._words.outcome(request.text) if self._words else None
        if self._classifier is None:
            probabilities = {name: float(name == (said or TEXT)) for name in (TEXT, IMAGE, BOTH)}
            found = said or TEXT
        else:
            probabilities = self._classifier.probabilities(await self._encoder.embed(request.text))
            found = self._bar.outcome(probabilities, said)
        return tuple(
            Signal(
                key,
                matched=key.name == found,
                confidence=probabilities[key.name],
                detail=f"{key.name} {probabilities[key.name]:.2f}" if key.name == found else "",
            )
            for key in self.keys
        )


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> Evaluator:
    """The evaluator of the outcomes in use.

    A detector that is not mentioned works; one with ``enabled: false`` written fails its signals. Raises
    ConfigError for ``method: keyword`` without words.
    """
    del signals, where
    keys = {key for key in used if key.family == FAMILY}
    module = settings.global_.model_catalog.modules.modality_detector
    if "enabled" in module.model_fields_set and not module.enabled:
        return SwitchedOff(FAMILY, keys, by="modality_detector.enabled")
    words = Words() if module.method == "classifier" else Words.of(module)
    if module.method == "keyword" and not words:
        remedy = "list keywords, both_keywords or prompt_prefixes, or use method hybrid"
        message = "method keyword has no words to look for"
        raise ConfigError([Problem(Severity.ERROR, f"{_PATH}.keywords", message, remedy)])
    classifier = None if module.method == "keyword" else ExemplarClassifier.fitted(encoder, shipped(FAMILY))
    return ModalityEvaluator(encoder, classifier, keys=keys, words=words, bar=Bar.of(module))
