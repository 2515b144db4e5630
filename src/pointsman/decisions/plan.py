"""A set of decisions compiled once, so that choosing among a hundred costs microseconds.

What is certain of the signals becomes one integer: a bit for each signal that certainly matches, and one for
each that certainly does not. NOT is pushed down to the signals (a signal that failed has neither bit, so
what depends on it holds in neither form), which leaves ANDs and ORs of bits: a rule of plain conditions is a
single comparison. Decisions are tried in the order of what counts before confidence, and confidences are
computed only for those that matched and may win.

``rank.choose`` over ``evaluate`` is the definition; this gives the same choice and confidence. The trace of
every decision is made of them too, by ``evaluate``, when somebody reads it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby, repeat
from operator import itemgetter
from typing import overload

from pointsman.core.decision import Decision, DecisionTrace, Match, Strategy
from pointsman.core.rule import Leaf, Operator, Rule
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.compile import referenced
from pointsman.decisions.rank import after_confidence, before_confidence, decision_trace, is_tiered

Holds = Callable[[int], bool]
"""Whether a rule certainly holds, given the bits of what is certain."""
Confidence = Callable[[Sequence[float], int], float]
"""How sure a rule is, given the confidence of every signal by position (minus infinity for one that does not
certainly match) and those bits; minus infinity for a rule that does not certainly hold."""
_NEVER = -math.inf
_ABSENT = Signal(SignalKey("", ""), matched=False, error="not computed")


class Traces(Sequence[DecisionTrace]):
    """How every decision evaluated, computed when first read."""

    def __init__(self, decisions: Sequence[Decision], signals: SignalSet) -> None:
        self._decisions = decisions
        self._signals = signals

    @cached_property
    def _made(self) -> tuple[DecisionTrace, ...]:
        return tuple(decision_trace(decision, self._signals) for decision in self._decisions)

    @overload
    def __getitem__(self, index: int) -> DecisionTrace: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[DecisionTrace, ...]: ...
    def __getitem__(self, index: int | slice) -> DecisionTrace | tuple[DecisionTrace, ...]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._decisions)

    def __iter__(self) -> Iterator[DecisionTrace]:
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        return self._made == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._made)


class Plan:
    """Decisions ready to be chosen among. Immutable, safe to use concurrently."""

    def __init__(self, decisions: Sequence[Decision], strategy: Strategy) -> None:
        self._decisions = tuple(decisions)
        keys = sorted(referenced(decisions))
        bits = {key: 1 << index for index, key in enumerate(keys)}
        self._keys = keys
        # The bit that says a signal matches, and the bit that says it does not.
        self._bits = [(bits[key], bits[key] << len(keys)) for key in keys]
        self._misses = sum(miss for _, miss in self._bits)
        compiler = _Compiler({key: index for index, key in enumerate(keys)})
        tiered = is_tiered(decisions)
        ranked = sorted(
            (
                before_confidence(decision, strategy, tiered=tiered),
                after_confidence(decision, strategy, tiered=tiered),
                index,
            )
            for index, decision in enumerate(self._decisions)
        )
        # Within a level, the order settles ties of confidence: the first of the surest wins.
        self._levels: list[list[tuple[Decision, Holds, Confidence]]] = [
            [
                (
                    self._decisions[index],
                    compiler.holds(self._decisions[index].rule, negated=False),
                    compiler.confidence(self._decisions[index].rule),
                )
                for _, _, index in level
            ]
            for _, level in groupby(ranked, key=itemgetter(0))
        ]

    def choose(self, signals: SignalSet) -> Match:
        """What ``rank.choose`` gives."""
        traces = Traces(self._decisions, signals)
        known, confidences = self._certain(signals)
        # No mean or best of confidences up to 1 is above 1, so the first that has it wins its level.
        ceiling = 1.0 if max(confidences, default=0.0) <= 1.0 else math.inf
        for level in self._levels:
            winner, best = None, _NEVER
            for decision, holds, confidence in level:
                if holds(known) and (sure := confidence(confidences, known)) > best:
                    winner, best = decision, sure
                    if best == ceiling:
                        break
            if winner is not None:
                return Match(winner, best, traces)
        return Match(None, traces=traces)

    def _certain(self, signals: SignalSet) -> tuple[int, list[float]]:
        # Most signals neither match nor fail: all are taken to miss, and those that do not are put right.
        known, confidences = self._misses, [_NEVER] * len(self._keys)
        found = map(signals.by_key.get, self._keys, repeat(_ABSENT))
        for index, signal in enumerate(found):
            if signal.error and not signal.assumed:
                known ^= self._bits[index][1]
            elif signal.matched:
                match, miss = self._bits[index]
                known ^= match | miss
                confidences[index] = signal.confidence
        return known, confidences


class _Compiler:
    """Turns rules into functions of what is certain."""

    def __init__(self, positions: dict[SignalKey, int]) -> None:
        self._positions = positions

    def holds(self, rule: Rule, *, negated: bool) -> Holds:
        """Whether a rule, or its negation, certainly holds."""
        mask, parts, conjunction = self._normal(rule, negated=negated)
        if not parts:
            return (lambda known: known & mask == mask) if conjunction else (lambda known: known & mask != 0)
        first, *others = parts
        if not others:
            # The usual nesting, without the cost of a loop.
            if conjunction:
                return lambda known: known & mask == mask and first(known)
            return lambda known: known & mask != 0 or first(known)
        if conjunction:
            return lambda known: known & mask == mask and all(part(known) for part in parts)
        return lambda known: known & mask != 0 or any(part(known) for part in parts)

    def _normal(self, rule: Rule, *, negated: bool) -> tuple[int, list[Holds], bool]:
        """Bits and functions, and whether all of them must hold or one of them."""
        while not isinstance(rule, Leaf) and rule.operator is Operator.NOT:
            rule, negated = rule.conditions[0], not negated
        if isinstance(rule, Leaf):
            return self._bit(rule, negated=negated), [], True
        mask, parts = 0, []
        for condition in rule.conditions:
            bit, inner, _ = self._normal(condition, negated=negated)
            if inner or bit & (bit - 1) or not bit:
                parts.append(self.holds(condition, negated=negated))
            else:
                mask |= bit
        return mask, parts, (rule.operator is Operator.AND) is not negated

    def _bit(self, leaf: Leaf, *, negated: bool) -> int:
        position = self._positions[leaf.key]
        return 1 << (position + len(self._positions) if negated else position)

    def confidence(self, rule: Rule) -> Confidence:
        """How sure a rule is."""
        if isinstance(rule, Leaf):
            position = self._positions[rule.key]
            return lambda confidences, _: confidences[position]
        if rule.operator is Operator.NOT:
            if isinstance(rule.conditions[0], Leaf):
                miss = self._bit(rule.conditions[0], negated=True)
                return lambda _, known: 1.0 if known & miss else _NEVER
            refuted = self.holds(rule.conditions[0], negated=True)
            return lambda _, known: 1.0 if refuted(known) else _NEVER
        combine = _mean if rule.operator is Operator.AND else _best
        leaves = [self._positions[part.key] for part in rule.conditions if isinstance(part, Leaf)]
        if len(leaves) == len(rule.conditions) > 1:
            several = itemgetter(*leaves)
            return lambda confidences, _: combine(several(confidences))
        parts = [self.confidence(condition) for condition in rule.conditions]
        return lambda confidences, known: combine([part(confidences, known) for part in parts])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _best(values: Sequence[float]) -> float:
    return max(values, default=_NEVER)
