"""What must hold within a routing document: signals, projections and decisions that fit together."""

from collections.abc import Iterator, Mapping
from typing import Final

from pointsman.config.conditions import Combination, Condition, Rule
from pointsman.config.decisions import Decision
from pointsman.config.document import Settings
from pointsman.config.faults import duplicates, error, unknown
from pointsman.config.names import ModelNames
from pointsman.config.regexes import complaint
from pointsman.config.routing import Routing
from pointsman.config.signals import DOMAIN_LABELS, FAMILY_KEYS
from pointsman.config.translate import nearest
from pointsman.config.validate_plugins import plugin_problems
from pointsman.config.validate_projections import BUILT_IN_KBS, validate_projections
from pointsman.core.problem import Problem
from pointsman.core.rule import Operator

MAX_RULE_DEPTH: Final = 16
"""Deepest nesting of a rule tree."""


def validate_signals(routing: Routing, path: str) -> Iterator[Problem]:
    """Names used twice, labels that do not exist, patterns that cannot run."""
    signals = routing.signals
    for family, key in FAMILY_KEYS.items():
        names = (rule.name for rule in signals.of(family))
        yield from duplicates(f"{path}.signals.{key}", f"the {family} signal", names)
    yield from _domains(routing, f"{path}.signals.domains")
    yield from _patterns(routing, f"{path}.signals")


def _domains(routing: Routing, path: str) -> Iterator[Problem]:
    for index, domain in enumerate(routing.signals.domains):
        where = f"{path}[{index}]"
        labels = ", ".join(DOMAIN_LABELS)
        if not domain.mmlu_categories and domain.name not in DOMAIN_LABELS:
            message = f"{domain.name!r} is none of the labels a request can get, so it never matches"
            near = nearest(domain.name, DOMAIN_LABELS)
            hint = f"name it {near}, or " if near else ""
            yield error(f"{where}.name", message, f"{hint}list mmlu_categories from: {labels}")
        for position, label in enumerate(domain.mmlu_categories):
            if label not in DOMAIN_LABELS:
                spot = f"{where}.mmlu_categories[{position}]"
                near = nearest(label, DOMAIN_LABELS)
                remedy = f"did you mean {near}?" if near else f"use one of {labels}"
                yield error(spot, f"{label!r} is none of the labels a request can get", remedy)


def _patterns(routing: Routing, path: str) -> Iterator[Problem]:
    """Every pattern that is a regular expression; keywords are only where ``method: regex`` is written."""
    patterns: dict[str, str] = {}
    for index, rule in enumerate(routing.signals.keywords):
        if rule.method == "regex" and "method" in rule.model_fields_set:
            where = f"{path}.keywords[{index}].keywords"
            patterns |= {f"{where}[{position}]": word for position, word in enumerate(rule.keywords)}
    for index, structure in enumerate(routing.signals.structure):
        if structure.feature.source.type == "regex":
            patterns[f"{path}.structure[{index}].feature.source.pattern"] = structure.feature.source.pattern
    for where, pattern in patterns.items():
        found = complaint(pattern)
        if found:
            yield error(where, *found)


def _projected(routing: Routing) -> set[str]:
    """Names that conditions of type projection may use."""
    return {output.name for mapping in routing.projections.mappings for output in mapping.outputs}


def validate_decisions(
    settings: Settings, routing: Routing, models: ModelNames, path: str
) -> Iterator[Problem]:
    """Names used twice, conditions on nothing, models that nothing serves, plugins given twice.

    Projections are among them: they are conditions' names too.
    """
    yield from validate_projections(settings, routing, path)
    decisions = routing.decisions
    yield from duplicates(f"{path}.decisions", "the decision", (decision.name for decision in decisions))
    known: dict[str, frozenset[str]] = {
        family: frozenset(routing.signals.names(family)) for family in FAMILY_KEYS
    }
    known["projection"] = frozenset(_projected(routing))
    for index, decision in enumerate(decisions):
        where = f"{path}.decisions[{index}]"
        if decision.rules is not None:
            yield from _rule(decision.rules, f"{where}.rules", known, 1)
        yield from _model_refs(decision, models, where)
        kinds = (plugin.type for plugin in decision.plugins)
        yield from duplicates(f"{where}.plugins", "the plugin", kinds, key="type")
        yield from plugin_problems(decision.plugins, f"{where}.plugins")
    for index, signal in enumerate(routing.signals.complexity):
        if signal.composer is not None:
            yield from _rule(signal.composer, f"{path}.signals.complexity[{index}].composer", known, 1)
    declared = {kb.name for kb in settings.global_.model_catalog.kbs} | BUILT_IN_KBS
    for index, kb in enumerate(routing.signals.kb):
        if kb.kb not in declared:
            where = f"{path}.signals.kb[{index}].kb"
            yield unknown(where, "the knowledge base", kb.kb, declared, "declare it under model_catalog.kbs")


def _rule(rule: Rule, path: str, known: Mapping[str, frozenset[str]], depth: int) -> Iterator[Problem]:
    if isinstance(rule, Condition):
        yield from _condition(rule, path, known[rule.type])
        return
    if depth > MAX_RULE_DEPTH:
        yield error(path, f"is nested more than {MAX_RULE_DEPTH} levels deep", "flatten the rule")
        return
    yield from _arity(rule, path)
    for index, child in enumerate(rule.conditions):
        yield from _rule(child, f"{path}.conditions[{index}]", known, depth + 1)


def _arity(rule: Combination, path: str) -> Iterator[Problem]:
    count = len(rule.conditions)
    if rule.operator is Operator.NOT and count != 1:
        message = f"NOT takes exactly one condition and has {count}"
        yield error(path, message, "put several under one OR or AND inside it")
    if rule.operator is Operator.OR and not count:
        yield error(path, "OR without conditions never holds", "add a condition, or use AND for always")


def _condition(rule: Condition, path: str, known: frozenset[str]) -> Iterator[Problem]:
    if rule.name in known:
        return
    levels = sorted(name for name in known if name.startswith(f"{rule.name}:"))
    if rule.type == "complexity" and levels:
        yield error(f"{path}.name", f"{rule.name!r} names no level", f"use one of {', '.join(levels)}")
        return
    place = {"projection": "projections.mappings[].outputs", "authz": "signals.role_bindings[].role"}
    key = place.get(rule.type) or f"signals.{FAMILY_KEYS[rule.type]}"
    yield unknown(f"{path}.name", f"the {rule.type}", rule.name, known, f"declare it under routing.{key}")


def _model_refs(decision: Decision, models: ModelNames, path: str) -> Iterator[Problem]:
    for index, ref in enumerate(decision.model_refs):
        where = f"{path}.modelRefs[{index}]"
        problem = models.problem_with(ref.model)
        if problem:
            yield error(f"{where}.model", *problem)
        elif ref.lora_name:
            problem = models.problem_with_lora(ref.model, ref.lora_name)
            if problem:
                yield error(f"{where}.lora_name", *problem)
