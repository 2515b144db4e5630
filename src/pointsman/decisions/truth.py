"""What rules imply about each other, whatever the signals turn out to be.

Rules over few signals are compared by truth table: a rule's column is one integer with a bit for each
combination of its signals, so AND, OR and NOT are single operations on integers. Rules over many signals
are compared by their form, which finds less but nothing false.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations

from pointsman.core.rule import Leaf, Node, Operator, Rule
from pointsman.core.signal import SignalKey
from pointsman.decisions.compile import keys

MAX_LEAVES = 12
"""Signals a truth table may have: 2**12 combinations."""

Exclusions = AbstractSet[frozenset[SignalKey]]
"""Pairs of signals that never hold together, such as two subjects of one text."""


class TruthTable:
    """All consistent combinations of some signals. Raises ValueError for more than MAX_LEAVES."""

    def __init__(self, signals: Iterable[SignalKey], exclusions: Exclusions = frozenset()) -> None:
        self._signals = sorted(set(signals))
        if len(self._signals) > MAX_LEAVES:
            raise ValueError(f"{len(self._signals)} signals are too many for a truth table")
        size = 1 << len(self._signals)
        self._full = (1 << size) - 1
        self._columns = {key: _column(index, self._full) for index, key in enumerate(self._signals)}
        self.consistent = self._full
        for one, other in combinations(self._signals, 2):
            if frozenset((one, other)) in exclusions:
                self.consistent &= ~(self._columns[one] & self._columns[other])

    def column(self, rule: Rule) -> int:
        """The combinations in which a rule holds, as bits."""
        return self._raw(rule) & self.consistent

    def combinations(self, column: int) -> Iterator[frozenset[SignalKey]]:
        """For each bit of a column, the signals that hold."""
        while column:
            bit = column & -column
            row = bit.bit_length() - 1
            yield frozenset(key for index, key in enumerate(self._signals) if row >> index & 1)
            column ^= bit

    def _raw(self, rule: Rule) -> int:
        if isinstance(rule, Leaf):
            return self._columns[rule.key]
        columns = [self._raw(condition) for condition in rule.conditions]
        if rule.operator is Operator.NOT:
            return self._full & ~columns[0]
        result = self._full if rule.operator is Operator.AND else 0
        for column in columns:
            result = result & column if rule.operator is Operator.AND else result | column
        return result


def _column(index: int, full: int) -> int:
    """The column of signal ``index``: blocks of 2**index zeros and as many ones, repeated."""
    width = 1 << index
    block = ((1 << width) - 1) << width
    return block * (full // ((1 << 2 * width) - 1))


def table_of(rules: Sequence[Rule], exclusions: Exclusions) -> TruthTable | None:
    """The table of everything the rules ask for, or ``None`` when that is too much."""
    signals = {key for rule in rules for key in keys(rule)}
    return TruthTable(signals, exclusions) if len(signals) <= MAX_LEAVES else None


def unsatisfiable(rule: Rule, exclusions: Exclusions) -> bool:
    """Whether a rule certainly never holds."""
    table = table_of([rule], exclusions)
    return table.column(rule) == 0 if table else _refuted(rule, exclusions)


def tautology(rule: Rule, exclusions: Exclusions) -> bool:
    """Whether a rule certainly always holds."""
    table = table_of([rule], exclusions)
    return table.column(rule) == table.consistent if table else rule == Node(Operator.AND)


def implies(one: Rule, other: Rule, exclusions: Exclusions) -> bool:
    """Whether ``other`` certainly holds whenever ``one`` does."""
    table = table_of([one, other], exclusions)
    return table.column(one) & ~table.column(other) == 0 if table else _entails(one, other)


def _entails(one: Rule, other: Rule) -> bool:
    """``implies`` by form alone: sound, and blind to what the forms do not show."""
    if _is(one, Operator.OR):
        return all(_entails(condition, other) for condition in _parts(one))
    if _is(other, Operator.AND):
        return all(_entails(one, condition) for condition in _parts(other))
    if _is(other, Operator.OR) and any(_entails(one, condition) for condition in _parts(other)):
        return True
    if _is(one, Operator.AND):
        return any(_entails(condition, other) for condition in _parts(one))
    if _is(one, Operator.NOT) and _is(other, Operator.NOT):
        return _entails(_parts(other)[0], _parts(one)[0])
    return one == other


def _is(rule: Rule, operator: Operator) -> bool:
    return isinstance(rule, Node) and rule.operator is operator


def _parts(rule: Rule) -> tuple[Rule, ...]:
    return rule.conditions if isinstance(rule, Node) else ()


def _refuted(rule: Rule, exclusions: Exclusions) -> bool:
    """``unsatisfiable`` by form alone: contradictions among the parts of an AND, or none left in an OR."""
    if _is(rule, Operator.OR):
        return all(_refuted(condition, exclusions) for condition in _parts(rule))
    if not _is(rule, Operator.AND):
        return False
    parts = list(conjuncts(rule))
    needed = {part.key for part in parts if isinstance(part, Leaf)}
    negated = [_parts(part)[0] for part in parts if _is(part, Operator.NOT)]
    return (
        any(part in negated for part in parts)
        or any(frozenset(pair) in exclusions for pair in combinations(needed, 2))
        or any(_refuted(part, exclusions) for part in parts)
    )


def conjuncts(rule: Rule) -> Iterator[Rule]:
    """The parts that all must hold, through nested ANDs."""
    if _is(rule, Operator.AND):
        for condition in _parts(rule):
            yield from conjuncts(condition)
    else:
        yield rule
