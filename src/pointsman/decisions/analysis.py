"""Static analysis of a rule set: what runs, but hardly as its author meant.

Every claim that a decision cannot match or win holds for all requests whose signals could be computed;
where that is not certain, nothing is said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from pointsman.config.document import Settings
from pointsman.config.projection_keys import BAND
from pointsman.config.routing import Routing
from pointsman.config.signals import FAMILY_KEYS
from pointsman.core.decision import Decision, Strategy
from pointsman.core.problem import Problem, Severity
from pointsman.core.signal import SignalKey
from pointsman.decisions.asked import asked
from pointsman.decisions.certainty import Graded
from pointsman.decisions.compile import compile_rule, referenced
from pointsman.decisions.compile import keys as rule_keys
from pointsman.decisions.exclusive import exclusive_signals
from pointsman.decisions.partitions import partitioned
from pointsman.decisions.shadow import Analysis
from pointsman.decisions.thresholds import shared_thresholds, thresholds
from pointsman.decisions.truth import Exclusions, unsatisfiable
from pointsman.decisions.windows import small_windows


def analyse_settings(settings: Settings) -> tuple[Problem, ...]:
    """Every warning about a document: its own rules, those of its recipes, and what they share."""
    problems = [*_analyse_document(settings, settings.routing), *shared_thresholds(settings)]
    for index, recipe in enumerate(settings.recipes):
        problems.extend(
            msgspec.structs.replace(problem, path=f"recipes[{index}].{problem.path}")
            for problem in _analyse_document(settings, recipe.routing)
        )
    return tuple(problems)


def _analyse_document(settings: Settings, routing: Routing) -> Iterator[Problem]:
    yield from analyse_routing(routing, settings.strategy(routing))
    embedding = settings.global_.model_catalog.embeddings.semantic.embedding_config
    yield from thresholds(routing, soft=embedding.enable_soft_matching)
    yield from small_windows(routing, settings.routing)


def analyse_routing(routing: Routing, strategy: Strategy) -> tuple[Problem, ...]:
    """``analyse`` for a routing document as loaded."""
    decisions = [
        Decision(decision.name, compile_rule(decision.rules), priority=decision.priority, tier=decision.tier)
        for decision in routing.decisions
    ]
    known = frozenset(
        SignalKey(family, name) for family in FAMILY_KEYS for name in routing.signals.names(family)
    )
    known -= _used_otherwise(routing, known)
    # A classifier's signals are named by its conditions, with label and bounds: the plain name is in use too.
    conditions = (condition for _, condition in asked(routing).values())
    known -= {SignalKey(condition.type, condition.name) for condition in conditions if condition.label}
    problems = analyse(
        decisions,
        known,
        strategy,
        exclusions=exclusive_signals(routing),
        graded=_graded(routing),
    )
    return (*problems, *_unused_mappings(routing))


def analyse(
    decisions: Sequence[Decision],
    known: AbstractSet[SignalKey],
    strategy: Strategy,
    *,
    exclusions: Exclusions = frozenset(),
    graded: Graded = frozenset(),
) -> tuple[Problem, ...]:
    """Warnings about decisions that cannot win, ties that names settle, and declared signals unused.

    ``known`` are the declared signals that only decisions can use; ``exclusions`` pairs of signals that
    never hold together; ``graded`` signals whose confidence varies though that of their family is 1. Problems
    come in the order of the decisions they are about.
    """
    analysis = Analysis(decisions, strategy, exclusions, graded)
    dead, shadowed, catch_alls = analysis.unmatchable(), analysis.shadowed(), analysis.catch_alls()
    losers: dict[int, list[int]] = defaultdict(list)
    for loser, winner in shadowed.items():
        losers[winner].append(loser)
    problems: list[Problem] = []
    for index, decision in enumerate(decisions):
        if index in dead:
            problems.append(_dead(index, decision))
        elif index in shadowed and shadowed[index] not in catch_alls:
            problems.append(_shadowed(analysis, index, shadowed[index]))
        if index in catch_alls and losers[index]:
            problems.append(_greedy(index, decision, [decisions[loser].name for loser in losers[index]]))
        if index not in dead and index not in shadowed:
            rivals = [rival for rival in range(index) if rival not in dead and rival not in shadowed]
            problems.extend(_ambiguous(analysis, index, rivals))
    return (*problems, *_unused(known - referenced(decisions)))


def _graded(routing: Routing) -> Graded:
    """Keyword rules that score their keywords, bands with a calibration, and what partitions make of signals.

    A member taken by default has whatever confidence it has, and a softmax gives every member another.
    """
    scored = {
        SignalKey("keyword", rule.name)
        for rule in routing.signals.keywords
        if rule.method in {"bm25", "ngram"}
    }
    calibrated = {
        SignalKey(BAND, output.name)
        for mapping in routing.projections.mappings
        if mapping.calibration is not None
        for output in mapping.outputs
    }
    competing = {
        member
        for partition, members in partitioned(routing)
        for member in members
        if partition.semantics == "softmax_exclusive" or member.name == partition.default
    }
    return frozenset(scored | calibrated | competing)


def _dead(index: int, decision: Decision) -> Problem:
    reason, remedy = "no combination of its signals satisfies its rule", "remove it or correct its conditions"
    if not unsatisfiable(decision.rule, frozenset()):
        domains = {key.family for key in rule_keys(decision.rule)} == {"domain"}
        reason = "its rule needs two signals at once of which only one can match"
        if domains:
            reason = "its rule needs two domains at once, and a request has one"
        remedy = "combine them with OR"
    return _warning(index, f"decision {decision.name!r} can never match: {reason}", remedy)


def _shadowed(analysis: Analysis, index: int, winner: int) -> Problem:
    loser, first = analysis.decisions[index], analysis.decisions[winner]
    if analysis.same(index, winner):
        return _warning(
            index,
            f"decision {loser.name!r} has the same rule and rank as {first.name!r}, which always wins",
            "remove one of them or give them different rules",
        )
    return _warning(
        index,
        f"decision {loser.name!r} can never win: whenever it matches, {first.name!r} matches too "
        f"and ranks higher ({_rank(first)} against {_rank(loser)})",
        f"rank it above {first.name!r} or narrow the rule of {first.name!r}",
    )


def _greedy(index: int, decision: Decision, losers: list[str]) -> Problem:
    return _warning(
        index,
        f"decision {decision.name!r} matches every request and outranks {_listed(losers)}, "
        "which can therefore never win",
        "rank it below the others or give it conditions",
    )


def _ambiguous(analysis: Analysis, index: int, rivals: list[int]) -> Iterator[Problem]:
    """Earlier decisions of the same rank that may match the same request with the same confidence."""
    decisions = analysis.decisions
    name = decisions[index].name
    twins = [rival for rival in rivals if analysis.same(index, rival)]
    tied = [rival for rival in rivals if rival not in twins and analysis.tied(index, rival)]
    if twins:
        yield _warning(
            index,
            f"decision {name!r} has the same rule and rank as {_listed([decisions[t].name for t in twins])}",
            "remove one of them or give them different rules",
        )
    if tied:
        yield _warning(
            index,
            f"decision {name!r} and {_listed([decisions[t].name for t in tied])} can match the same request "
            "at the same rank and confidence: the name that sorts first wins",
            "give them different priorities",
        )


def _unused(keys: Iterable[SignalKey]) -> Iterator[Problem]:
    names: dict[str, list[str]] = defaultdict(list)
    for key in sorted(keys):
        names[key.family].append(key.name)
    for family, unused in names.items():
        effect = "such requests match no decision by subject" if family == "domain" else "never computed"
        yield Problem(
            Severity.WARNING,
            f"routing.signals.{FAMILY_KEYS.get(family, family)}",
            f"no decision uses {family} {_listed(unused)}: {effect}",
            "refer to it in a decision's rules or remove it",
        )


def _unused_mappings(routing: Routing) -> Iterator[Problem]:
    """Mappings of which no decision, composer or score reads a band."""
    read = set(asked(routing))
    read |= {
        SignalKey(given.type, given.name) for score in routing.projections.scores for given in score.inputs
    }
    for index, mapping in enumerate(routing.projections.mappings):
        if read.isdisjoint(SignalKey(BAND, output.name) for output in mapping.outputs):
            yield Problem(
                Severity.WARNING,
                f"routing.projections.mappings[{index}]",
                f"nothing reads an output of the mapping {mapping.name!r}: it is never computed",
                "refer to one in a decision's rules or remove it",
            )


def _used_otherwise(routing: Routing, known: AbstractSet[SignalKey]) -> frozenset[SignalKey]:
    """Declared signals that projections or composers may read, and levels of which no one is missed."""
    members = {member for partition in routing.projections.partitions for member in partition.members}
    inputs = {
        SignalKey(given.type, given.name) for score in routing.projections.scores for given in score.inputs
    }
    composers = [rule.composer for rule in routing.signals.complexity if rule.composer]
    composed = {key for composer in composers for key in rule_keys(compile_rule(composer))}
    return frozenset(
        key
        for key in known
        if key.family == "complexity" or key.name in members or key in inputs or key in composed
    )


def _warning(index: int, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, f"routing.decisions[{index}].rules", message, remedy)


def _rank(decision: Decision) -> str:
    tier = f"tier {decision.tier}, " if decision.tier else ""
    return f"{tier}priority {decision.priority}"


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
