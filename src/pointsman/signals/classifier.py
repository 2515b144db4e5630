"""Classifiers of the user's own: bounds on the probability of one of their labels.

A classifier runs here (``type: local``) or is a prompted external model (``type: llm``, see ``prompted``).
A condition names a classifier, a label and bounds, all of which must hold; without bounds, a probability of
at least a half matches. Confidence is the label's probability, whether or not the condition matched. When
a classifier fails or is late, its conditions fail too, unless it says ``on_error: match``: then they match,
with a confidence of 0, and count as failures all the same.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from pointsman.config.conditions import Condition, Predicate
from pointsman.config.signals import Signals
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.encoder import Plug, PlugsRefused

FAMILY: Final = "classifier"
LOCAL: Final = "local"
DEFAULT: Final[Mapping[str, float]] = MappingProxyType({"gte": 0.5})
"""What matches where a condition sets no bound."""

_PATH: Final = "signals.classifiers"
_HOLDS: Final = MappingProxyType({"gt": gt, "gte": ge, "lt": lt, "lte": le})

Questions = Mapping[SignalKey, tuple[str, Condition]]
"""The key path and the condition behind each signal that is asked for."""


class TextClassifiers(Protocol):
    """Classifiers that have been opened."""

    @property
    def plugged(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of each, by name."""

    async def classify(self, name: str, text: str) -> Mapping[str, float]:
        """Give the probability of each label; raises when the classifier fails or has too much to do."""


class Opened(msgspec.Struct, frozen=True):
    """The document's classifiers at work."""

    classifiers: TextClassifiers | None = None
    """None where there are none."""
    questions: Questions = {}
    prefix: str = ""
    """Before each name in ``classifiers``: recipes may use one name for different files."""
    timeout_s: float = 3.6
    """After which one has failed; less than the deadline of all signals, which would not ask ``on_error``."""


class Question(msgspec.Struct, frozen=True):
    """What one condition asks."""

    key: SignalKey
    classifier: str
    label: str
    bounds: Mapping[str, float] = DEFAULT
    """``gt``, ``gte``, ``lt`` and ``lte``, of which all that are there must hold."""
    match_on_error: bool = False


class ClassifierEvaluator:
    """All classifiers in use, each asked once and concurrently; one that fails harms no other."""

    family = FAMILY
    immediate = False

    def __init__(
        self, classifiers: TextClassifiers, questions: Sequence[Question], *, timeout_s: float
    ) -> None:
        self._classifiers = classifiers
        self._questions = tuple(questions)
        self._names = tuple(dict.fromkeys(question.classifier for question in questions))
        self._timeout_s = timeout_s
        self.keys = frozenset(question.key for question in questions)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each question; raises nothing of its own."""
        answers = await asyncio.gather(*(self._answer(name, request.text) for name in self._names))
        by_name = dict(zip(self._names, answers, strict=True))
        return tuple(_signal(question, by_name[question.classifier]) for question in self._questions)

    async def _answer(self, name: str, text: str) -> Mapping[str, float] | str:
        """The probabilities, or why there are none."""
        try:
            async with asyncio.timeout(self._timeout_s) as scope:
                return await self._classifiers.classify(name, text)
        except Exception as error:  # noqa: BLE001  # any failure is the classifier's own, on_error says what follows
            if isinstance(error, TimeoutError) and scope.expired():
                return f"no answer within {self._timeout_s * 1000:g} ms"
            return type(error).__name__  # its text may quote the prompt


def plugs(signals: Signals, questions: Questions, *, prefix: str = "") -> dict[str, Plug]:
    """The files of the local classifiers that some condition names; no other need be opened.

    ``prefix`` goes before each name, to tell the classifiers of recipes apart.
    """
    names = {condition.name for _, condition in questions.values() if condition.type == FAMILY}
    return {
        prefix + rule.name: Plug(rule.model_path, rule.labels)
        for rule in signals.classifiers
        if rule.type == LOCAL and rule.name in names
    }


def refusals(
    signals: Signals, error: PlugsRefused, *, prefix: str = "", where: str = "routing"
) -> tuple[Problem, ...]:
    """Where the document names what cannot be used, why not, and what to do."""
    return tuple(
        Problem(Severity.ERROR, f"{where}.{_PATH}[{index}].{fault.key}", fault.message, fault.remedy)
        for index, rule in enumerate(signals.classifiers)
        if (fault := error.faults.get(prefix + rule.name))
    )


class Both:
    """Classifiers that run here and prompted ones, by the names that each knows."""

    def __init__(self, local: TextClassifiers | None, prompted: TextClassifiers) -> None:
        self._local = local
        self._prompted = prompted
        self.plugged = {**(local.plugged if local else {}), **prompted.plugged}

    async def classify(self, name: str, text: str) -> Mapping[str, float]:
        """Ask whichever has the name; raises what that one raises."""
        if self._local is None or name in self._prompted.plugged:
            return await self._prompted.classify(name, text)
        return await self._local.classify(name, text)


def build(
    signals: Signals, used: AbstractSet[SignalKey], opened: Opened, prompted: TextClassifiers
) -> ClassifierEvaluator:
    """The evaluator of the conditions in use.

    ``prompted`` knows the classifiers of type ``llm`` by their names in the document with the prefix of
    ``opened``. Raises ConfigError for labels that a classifier does not have and bounds that no probability
    can meet.
    """
    if opened.classifiers is None and any(rule.type == LOCAL for rule in signals.classifiers):
        raise ValueError("classifiers in use must have been opened")
    classifiers = Both(opened.classifiers, prompted)
    on_error = {rule.name: rule.on_error == "match" for rule in signals.classifiers}
    problems: list[Problem] = []
    questions: list[Question] = []
    for key, (path, condition) in opened.questions.items():
        if key in used and condition.type == FAMILY and condition.name in on_error:
            name = opened.prefix + condition.name
            problems += _faults(path, condition, classifiers.plugged[name])
            bounds = _bounds(condition.predicate)
            questions.append(Question(key, name, condition.label, bounds, on_error[condition.name]))
    if problems:
        raise ConfigError(problems)
    return ClassifierEvaluator(classifiers, questions, timeout_s=opened.timeout_s)


def _faults(path: str, condition: Condition, labels: Sequence[str]) -> Iterator[Problem]:
    if condition.label not in labels:
        near = nearest(condition.label, labels)
        yield Problem(
            Severity.ERROR,
            f"{path}.label",
            f"{condition.label!r} is no label of the classifier {condition.name!r}",
            f"did you mean {near}?" if near else f"use one of {', '.join(labels)}",
        )
    for name, bound in _bounds(condition.predicate).items():
        if not 0 <= bound <= 1:
            yield Problem(
                Severity.ERROR,
                f"{path}.predicate.{name}",
                f"{bound:g} is no probability",
                "use a number from 0 to 1",
            )


def _signal(question: Question, answer: Mapping[str, float] | str) -> Signal:
    if isinstance(answer, str):
        if question.match_on_error:
            detail = f"on_error: match, after {answer}"
            return Signal(question.key, matched=True, assumed=True, error=answer, detail=detail)
        return Signal(question.key, matched=False, error=answer)
    probability = answer[question.label]
    matched = all(_HOLDS[name](probability, bound) for name, bound in question.bounds.items())
    detail = f"{question.label} {probability:.2f}" if matched else ""
    return Signal(question.key, matched=matched, confidence=probability, detail=detail)


def _bounds(predicate: Predicate | None) -> Mapping[str, float]:
    written: dict[str, float] = predicate.model_dump(exclude_none=True) if predicate else {}
    return written or DEFAULT
