"""Attempts to talk the model out of its rules.

``classifier`` reads the whole text in small windows and takes the most suspicious one's probability; it
matches from the threshold on (the rule's or, unwritten, ``prompt_guard``'s). ``contrastive`` compares
passages with examples: the best similarity with an attack minus the best with a harmless look-alike, for
the passage where that is largest (threshold 0.1, unless the rule writes its own). Where a rule lists no
look-alikes, ordinary requests that ship with the package stand in: a similarity alone says little.
``hybrid`` is either; a written threshold is then the classifier's. With ``include_history`` each earlier
message counts too.

A detector that fails makes a failed signal, on which no decision rests: neither on the rule nor on its
negation. ``prompt_guard.on_error`` says otherwise where it is written: ``block`` matches, ``allow`` does not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.model_catalog import PromptGuard
from pointsman.config.signals import JailbreakSignal, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals import fact_check
from pointsman.signals.base import Evaluator, Floats, TextEncoder
from pointsman.signals.examples import embedded
from pointsman.signals.exemplars import shipped
from pointsman.signals.off import SwitchedOff
from pointsman.signals.passages import conversation, passages

FAMILY: Final = "jailbreak"
CLASSIFIER, CONTRASTIVE = "classifier", "contrastive"
MARGIN: Final = 0.1
"""Lead of attacks over look-alikes, as a cosine, that counts as an attempt."""


class Guard(msgspec.Struct, frozen=True):
    """One rule."""

    key: SignalKey
    probability_from: float | None
    """Least probability; None where the classifier is not asked."""
    margin_from: float | None
    """Least lead of the attacks; None where there is nothing to compare."""
    history: bool
    attacks: Floats | None = None
    """Unit rows; with a margin, at least one."""
    harmless: Floats | None = None
    """Unit rows; with a margin, at least one."""

    def margin(self, vector: Floats) -> float:
        """The lead of the attacks for one passage."""
        if self.attacks is None or self.harmless is None:
            return 0.0
        return float((self.attacks @ vector).max()) - float((self.harmless @ vector).max())


class JailbreakEvaluator:
    """All rules in use; they share what the encoder reads."""

    family = FAMILY
    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        guards: Sequence[Guard],
        *,
        on_error: str | None = None,
        timeout_s: float = 3.6,
    ) -> None:
        self._encoder = encoder
        self._guards = tuple(guards)
        self._on_error = on_error
        self._timeout_s = timeout_s
        self.keys = frozenset(guard.key for guard in guards)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule; one that fails harms no other."""
        return tuple(await asyncio.gather(*(self._guarded(guard, request) for guard in self._guards)))

    async def _guarded(self, guard: Guard, request: ChatRequest) -> Signal:
        try:
            async with asyncio.timeout(self._timeout_s) as scope:
                return await self._signal(guard, conversation(request, history=guard.history))
        except Exception as error:  # noqa: BLE001  # any failure is the guard's own, on_error says what follows
            late = isinstance(error, TimeoutError) and scope.expired()
            reason = f"deadline {self._timeout_s * 1000:g} ms exceeded" if late else type(error).__name__
            return _failed(guard.key, reason, self._on_error)

    async def _signal(self, guard: Guard, texts: Sequence[str]) -> Signal:
        """One text after the other, the current one first: a long history must not fill the queue."""
        probability, margin, sampled = 0.0, -1.0, False
        for text in texts:
            if guard.probability_from is not None:
                scan = await self._encoder.scan(text)
                probability = max(probability, scan.jailbreak.probability)
                sampled = sampled or scan.sampled
            if guard.margin_from is not None:
                vectors = await asyncio.gather(*(self._encoder.embed(each) for each in passages(text)))
                margin = max(margin, *(guard.margin(vector) for vector in vectors))
        suspicious = guard.probability_from is not None and probability >= guard.probability_from
        alike = guard.margin_from is not None and margin >= guard.margin_from
        words = [f"probability {probability:.2f}"] if suspicious else []
        words += [f"nearer to attacks by {margin:.2f}"] if alike else []
        return Signal(
            guard.key,
            matched=suspicious or alike,
            confidence=max(probability, min(1.0, max(0.0, margin))),
            detail=", ".join([*words, *(["read in part"] if words and sampled else [])]),
        )


def _ordinary() -> tuple[str, ...]:
    return tuple(text for each in shipped(fact_check.FAMILY).values() for text in each)


def _failed(key: SignalKey, reason: str, on_error: str | None) -> Signal:
    if on_error is None:
        return Signal(key, matched=False, error=reason)
    matched = on_error == "block"
    return Signal(
        key, matched=matched, assumed=True, error=reason, detail=f"on_error: {on_error}" if matched else ""
    )


def build(
    signals: Signals,
    used: AbstractSet[SignalKey],
    encoder: TextEncoder,
    settings: Settings,
    where: str,
    *,
    timeout_s: float = 3.6,
) -> Evaluator:
    """The evaluator of the rules in use.

    Raises ConfigError for contrastive rules without attacks, and for more examples than can be embedded.
    """
    path = f"{where}.signals.jailbreak"
    module = settings.global_.model_catalog.modules.prompt_guard
    rules = {
        index: rule for index, rule in enumerate(signals.jailbreak) if SignalKey(FAMILY, rule.name) in used
    }
    if not module.enabled:
        keys = {SignalKey(FAMILY, rule.name) for rule in rules.values()}
        return SwitchedOff(FAMILY, keys, by="prompt_guard.enabled")
    problems = [
        Problem(
            Severity.ERROR,
            f"{path}[{index}].jailbreak_patterns",
            f"method {rule.method} has no attack to compare with",
            "list example attacks, or use method classifier",
        )
        for index, rule in rules.items()
        if rule.method != CLASSIFIER and not rule.jailbreak_patterns
    ]
    if problems:
        raise ConfigError(problems)
    texts = {
        f"{kind}:{rule.name}": patterns
        for rule in rules.values()
        if rule.method != CLASSIFIER
        for kind, patterns in (
            ("attack", rule.jailbreak_patterns),
            ("harmless", rule.benign_patterns or _ordinary()),
        )
    }
    vectors = embedded(encoder, texts, where=path)
    return JailbreakEvaluator(
        encoder,
        [_guard(rule, module, vectors) for rule in rules.values()],
        on_error=module.on_error if "on_error" in module.model_fields_set else None,
        timeout_s=timeout_s,
    )


def _guard(rule: JailbreakSignal, module: PromptGuard, vectors: Mapping[str, Floats]) -> Guard:
    written = rule.threshold if "threshold" in rule.model_fields_set else None
    probability = module.threshold if written is None else written
    margin = MARGIN if written is None or rule.method != CONTRASTIVE else written
    return Guard(
        SignalKey(FAMILY, rule.name),
        probability_from=None if rule.method == CONTRASTIVE else probability,
        margin_from=None if rule.method == CLASSIFIER else margin,
        history=rule.include_history,
        attacks=vectors.get(f"attack:{rule.name}"),
        harmless=vectors.get(f"harmless:{rule.name}"),
    )
