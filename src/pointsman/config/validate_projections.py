"""What must hold within ``projections``: names that exist, groups of one family, no circles."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

import msgspec

from pointsman.config.conditions import Condition, Rule
from pointsman.config.document import Settings
from pointsman.config.faults import duplicates, error, unknown
from pointsman.config.partition_members import families_of, family_of
from pointsman.config.projection_keys import BAND, KB_METRIC, SCORE, input_key
from pointsman.config.projections import Partition, ScoreInput, ScoreMapping
from pointsman.config.routing import Routing
from pointsman.config.signals import FAMILY_KEYS
from pointsman.core.order import run_before
from pointsman.core.problem import Problem
from pointsman.core.signal import SignalKey

BUILT_IN_KBS: Final = frozenset({"privacy_kb", "mmlu_kb"})
"""Knowledge bases that documents may name without declaring them."""
_METRICS: Final = ("best_score", "best_matched_score")
"""What every knowledge base has."""
_LEVELS: Final = ("hard", "medium", "easy")


def validate_projections(settings: Settings, routing: Routing, path: str) -> Iterator[Problem]:
    """Everything that keeps projections and composers from being computed."""
    where = f"{path}.projections"
    yield from _names(routing, where)
    yield from _partitions(routing, f"{where}.partitions")
    for index, score in enumerate(routing.projections.scores):
        for position, given in enumerate(score.inputs):
            yield from _input(settings, routing, given, f"{where}.scores[{index}].inputs[{position}]")
    scores = {score.name for score in routing.projections.scores}
    for index, mapping in enumerate(routing.projections.mappings):
        yield from _mapping(mapping, scores, f"{where}.mappings[{index}]")
    yield from _circles(routing, path)


def _names(routing: Routing, path: str) -> Iterator[Problem]:
    projections = routing.projections
    yield from duplicates(
        f"{path}.partitions", "the partition", (each.name for each in projections.partitions)
    )
    yield from duplicates(f"{path}.scores", "the score", (each.name for each in projections.scores))
    yield from duplicates(f"{path}.mappings", "the mapping", (each.name for each in projections.mappings))
    first: dict[str, str] = {}
    for index, mapping in enumerate(projections.mappings):
        for position, output in enumerate(mapping.outputs):
            where = f"{path}.mappings[{index}].outputs[{position}]"
            other = first.setdefault(output.name, where)
            if other != where:
                message = f"the output {output.name!r} is declared twice, first at {other}"
                yield error(f"{where}.name", message, "rename or remove one of the two")


def _partitions(routing: Routing, path: str) -> Iterator[Problem]:
    declared = {name for family in FAMILY_KEYS for name in routing.signals.names(family)}
    owners: dict[SignalKey, str] = {}
    for index, partition in enumerate(routing.projections.partitions):
        where = f"{path}[{index}]"
        absent = [name for name in partition.members if name not in declared]
        for position, name in enumerate(partition.members):
            spot = f"{where}.members[{position}]"
            if name in absent:
                yield unknown(spot, "the signal", name, declared, "declare it under signals")
            elif name in partition.members[:position]:
                yield error(spot, f"the member {name!r} is listed twice", "remove one of the two")
        if not absent:
            yield from _family(routing, partition, where)
        if partition.default and partition.default not in partition.members:
            spot = f"{where}.default"
            yield unknown(spot, "the member", partition.default, partition.members, "add it to members")
        for position, name in enumerate(partition.members):
            key = SignalKey(family_of(routing.signals, partition), name)
            other = owners.setdefault(key, where)
            if key.family and other != where:
                message = f"{name!r} is a member of {other} already"
                yield error(f"{where}.members[{position}]", message, "let it compete in one partition")


def _family(routing: Routing, partition: Partition, path: str) -> Iterator[Problem]:
    families = families_of(routing.signals, partition)
    if not partition.members:
        yield error(f"{path}.members", "has no member", "list the signals that compete, or remove it")
    elif not families:
        message = "has members of different families, whose confidences cannot be compared"
        yield error(f"{path}.members", message, "list signals of one family, and none of classifier")
    elif len(families) > 1:
        message = f"may mean signals of {' or '.join(families)}: both declare every member"
        yield error(f"{path}.members", message, "rename the signals of one family")


def _input(settings: Settings, routing: Routing, given: ScoreInput, path: str) -> Iterator[Problem]:
    if given.type == KB_METRIC:
        yield from _metric(settings, given, path)
        return
    scores = {score.name for score in routing.projections.scores}
    bands = {output.name for mapping in routing.projections.mappings for output in mapping.outputs}
    if given.type == BAND:
        known = scores | bands
    elif given.type in FAMILY_KEYS:
        known = set(routing.signals.names(given.type))
    else:
        types = (*FAMILY_KEYS, BAND, KB_METRIC)
        remedy = f"use one of {', '.join(types)}"
        yield unknown(f"{path}.type", "the signal family", given.type, types, remedy)
        return
    if given.name not in known:
        remedy = f"declare the {given.type} first"
        yield unknown(f"{path}.name", f"the {given.type}", given.name, known, remedy)
    elif given.type == BAND and given.name in scores & bands:
        yield error(f"{path}.name", f"{given.name!r} is both a score and an output", "rename one of the two")
    elif given.type == BAND and given.name in scores:
        yield from _number(given, path, "a score")
    elif given.type == "classifier":
        message = "is asked for a label and bounds, which a score cannot give"
        yield error(f"{path}.type", message, "leave the classifier to the conditions of decisions")


def _metric(settings: Settings, given: ScoreInput, path: str) -> Iterator[Problem]:
    kbs = {kb.name: kb for kb in settings.global_.model_catalog.kbs}
    if given.kb in BUILT_IN_KBS - kbs.keys():
        return
    if given.kb not in kbs:
        remedy = "declare it under global.model_catalog.kbs with its files as source"
        yield unknown(f"{path}.kb", "the knowledge base", given.kb, kbs, remedy)
        return
    metrics = (*_METRICS, *(metric.name for metric in kbs[given.kb].metrics))
    if given.metric not in metrics:
        remedy = f"use one of {', '.join(metrics)}"
        yield unknown(f"{path}.metric", "the metric", given.metric, metrics, remedy)
    yield from _number(given, path, "a metric")


def _number(given: ScoreInput, path: str, what: str) -> Iterator[Problem]:
    if given.value_source == "binary":
        yield error(f"{path}.value_source", f"{what} has no match", "use score, or leave it out")


def _mapping(mapping: ScoreMapping, scores: set[str], path: str) -> Iterator[Problem]:
    if mapping.source not in scores:
        remedy = "declare it under projections.scores"
        yield unknown(f"{path}.source", "the score", mapping.source, scores, remedy)


class _Item(msgspec.Struct, frozen=True):
    """A projection or a composer, as far as circles are concerned."""

    path: str
    keys: frozenset[SignalKey]
    needs: frozenset[SignalKey]


def _circles(routing: Routing, path: str) -> Iterator[Problem]:
    """Projections and composers that read each other; one circle is reported at a time."""
    items = [*_items(routing, path)]
    before: Mapping[int, set[int]] = run_before(items)
    for item in items:
        if not item.keys.isdisjoint(item.needs):
            yield error(item.path, "reads what it makes itself", "name other signals")
    try:
        TopologicalSorter(before).prepare()
    except CycleError as circle:
        round_: Sequence[int] = circle.args[1]
        names = " reads ".join(items[index].path for index in reversed(round_))
        yield error(items[min(round_)].path, f"reads itself: {names}", "take one of them out of the circle")


def _items(routing: Routing, path: str) -> Iterator[_Item]:
    projections, where = routing.projections, f"{path}.projections"
    for index, partition in enumerate(projections.partitions):
        if family := family_of(routing.signals, partition):
            members = frozenset(SignalKey(family, name) for name in partition.members)
            yield _Item(f"{where}.partitions[{index}]", members, frozenset())
    for index, rule in enumerate(routing.signals.complexity):
        if rule.composer is not None:
            levels = frozenset(SignalKey("complexity", f"{rule.name}:{level}") for level in _LEVELS)
            needs = frozenset(_leaves(rule.composer))
            yield _Item(f"{path}.signals.complexity[{index}].composer", levels, needs)
    scores = {score.name for score in projections.scores}
    for index, score in enumerate(projections.scores):
        inputs = frozenset(input_key(given, scores) for given in score.inputs)
        yield _Item(f"{where}.scores[{index}]", frozenset({SignalKey(SCORE, score.name)}), inputs)
    for index, mapping in enumerate(projections.mappings):
        outputs = frozenset(SignalKey(BAND, output.name) for output in mapping.outputs)
        source = frozenset({SignalKey(SCORE, mapping.source)})
        yield _Item(f"{where}.mappings[{index}]", outputs, source)


def _leaves(rule: Rule) -> Iterator[SignalKey]:
    if isinstance(rule, Condition):
        yield SignalKey(rule.type, rule.name)
        return
    for child in rule.conditions:
        yield from _leaves(child)
