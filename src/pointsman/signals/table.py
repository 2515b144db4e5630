"""The one table of signal families: which exist, and how each is built from the document."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem
from pointsman.core.signal import SignalKey
from pointsman.signals import classifier, domain, keyword
from pointsman.signals.base import Evaluator, TextEncoder


class Dependencies(msgspec.Struct, frozen=True):
    """What families need from outside the document's signal lists."""

    encoder: TextEncoder
    settings: Settings
    """The whole document, for what is set once for all recipes (thresholds, identity, external models)."""
    where: str = "routing"
    """Key path of the routing whose signals are built, for problems."""
    classifiers: classifier.Opened = classifier.Opened()
    """The document's own classifiers, and what its conditions ask of them."""


Factory = Callable[[Signals, AbstractSet[SignalKey], Dependencies], Evaluator]
"""Builds the evaluator of a family for the keys in use. Raises ConfigError for rules that cannot run."""


def build_evaluators(
    signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies
) -> tuple[Evaluator, ...]:
    """One evaluator for each family that some key in ``used`` belongs to, and within it only those rules.

    Families without an entry here are left out: their signals are then never computed, and loading the
    document has already said so. Raises ConfigError with every rule that cannot run.
    """
    families = {key.family for key in used}
    problems: list[Problem] = []
    built: list[Evaluator] = []
    for family, factory in FACTORIES.items():
        if family in families:
            try:
                built.append(factory(signals, used, dependencies))
            except ConfigError as error:
                problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return tuple(built)


def _keyword(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    return keyword.KeywordEvaluator(
        [
            keyword.KeywordRule(
                name=rule.name,
                keywords=rule.keywords,
                combine=keyword.Combine(rule.operator),
                # Only a method that was spelled out turns keywords into expressions; the default is literal.
                # Approximate methods search literally too: what occurs word for word is the best match.
                regex="method" in rule.model_fields_set and rule.method == "regex",
                case_sensitive=rule.case_sensitive,
                path=f"{dependencies.where}.signals.keywords[{index}]",
            )
            for index, rule in enumerate(signals.keywords)
            if SignalKey(keyword.FAMILY, rule.name) in used
        ]
    )


def _domain(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    rules = [domain.DomainRule(rule.name, rule.mmlu_categories) for rule in signals.domains]
    return domain.DomainEvaluator(
        dependencies.encoder,
        [rule for rule in rules if rule.key in used],
        threshold=dependencies.settings.global_.model_catalog.modules.classifier.domain.threshold,
    )


def _classifier(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    return classifier.build(signals, used, dependencies.classifiers)


FACTORIES: Final[Mapping[str, Factory]] = MappingProxyType(
    {
        keyword.FAMILY: _keyword,
        domain.FAMILY: _domain,
        classifier.FAMILY: _classifier,
    }
)
"""Every family that can be evaluated."""
