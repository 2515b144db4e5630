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
from pointsman.signals import (
    authz,
    classifier,
    complexity,
    context,
    conversation,
    domain,
    embedding,
    event,
    fact_check,
    jailbreak,
    kb,
    keyword,
    language,
    metadata,
    modality,
    pii,
    preference,
    prompted,
    reask,
    structure,
    user_feedback,
)
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


def _documented(build: Callable[[Signals, AbstractSet[SignalKey], str], Evaluator]) -> Factory:
    """The factory of a family that needs nothing but the document's signal lists."""
    return lambda signals, used, dependencies: build(signals, used, dependencies.where)


def _domain(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    rules = [domain.DomainRule(rule.name, rule.mmlu_categories) for rule in signals.domains]
    return domain.DomainEvaluator(
        dependencies.encoder,
        [rule for rule in rules if rule.key in used],
        threshold=dependencies.settings.global_.model_catalog.modules.classifier.domain.threshold,
    )


def _classifier(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    opened = dependencies.classifiers
    asked = [
        condition.name for _, condition in opened.questions.values() if condition.type == classifier.FAMILY
    ]
    models = prompted.build(
        signals, asked, dependencies.settings, where=dependencies.where, prefix=opened.prefix
    )
    return classifier.build(signals, used, opened, models)


def _jailbreak(signals: Signals, used: AbstractSet[SignalKey], dependencies: Dependencies) -> Evaluator:
    return jailbreak.build(
        signals,
        used,
        dependencies.encoder,
        dependencies.settings,
        dependencies.where,
        timeout_s=dependencies.classifiers.timeout_s,
    )


Learned = Callable[[Signals, AbstractSet[SignalKey], TextEncoder, Settings, str], Evaluator]


def _learned(build: Learned) -> Factory:
    """The factory of a family that the encoder's reading of texts decides."""
    return lambda signals, used, dependencies: build(
        signals, used, dependencies.encoder, dependencies.settings, dependencies.where
    )


FACTORIES: Final[Mapping[str, Factory]] = MappingProxyType(
    {
        keyword.FAMILY: _documented(keyword.build),
        language.FAMILY: _documented(language.build),
        context.FAMILY: _documented(context.build),
        structure.FAMILY: _documented(structure.build),
        event.FAMILY: _documented(event.build),
        conversation.FAMILY: _documented(conversation.build),
        metadata.FAMILY: _documented(metadata.build),
        authz.FAMILY: _documented(authz.build),
        domain.FAMILY: _domain,
        classifier.FAMILY: _classifier,
        complexity.FAMILY: _learned(complexity.build),
        embedding.FAMILY: _learned(embedding.build),
        fact_check.FAMILY: _learned(fact_check.build),
        jailbreak.FAMILY: _jailbreak,
        kb.FAMILY: _learned(kb.build),
        kb.METRIC: _learned(kb.build_metrics),
        modality.FAMILY: _learned(modality.build),
        pii.FAMILY: _learned(pii.build),
        preference.FAMILY: _learned(preference.build),
        reask.FAMILY: _learned(reask.build),
        user_feedback.FAMILY: _learned(user_feedback.build),
    }
)
"""Every family that can be evaluated."""
