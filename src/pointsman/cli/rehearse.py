"""The signals of a document built as a start would build them, with an encoder that reads nothing.

So `check` finds what only building finds: rules without examples, files of knowledge bases, models that are
not declared. Files of local classifiers are not opened.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pointsman.config.document import Settings
from pointsman.config.routing import Routing
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem
from pointsman.decisions.asked import asked
from pointsman.plugins.tool_sets import absent
from pointsman.signals import classifier, prompted
from pointsman.signals.base import Floats
from pointsman.signals.derivations import build_derivations, observed
from pointsman.signals.table import Dependencies, build_evaluators


class _Blank:
    """An encoder to which all texts are alike; only what building asks of one."""

    def embed_now(self, text: str) -> Floats:
        """The same unit vector for every text."""
        del text
        return np.array([1.0, 0.0], dtype=np.float32)

    async def encode(self, text: str) -> Any:
        """Never asked."""
        raise NotImplementedError(text)

    embed = encode
    scan = encode


def rehearse(settings: Settings) -> tuple[Problem, ...]:
    """What would keep the signals in use from being built, and files that the start does without."""
    routings = [("routing", settings.routing)]
    routings += [(f"recipes[{index}].routing", each.routing) for index, each in enumerate(settings.recipes)]
    found = (problem for where, routing in routings for problem in _problems(settings, routing, where))
    return (*found, *absent(settings))


def _problems(settings: Settings, routing: Routing, where: str) -> Iterator[Problem]:
    questions = asked(routing, where=where)
    used = observed(frozenset(questions), build_derivations(routing, frozenset(questions)))
    elsewhere = {rule.name for rule in routing.signals.classifiers if rule.type == prompted.LLM}
    local = {
        key
        for key, (_, condition) in questions.items()
        if condition.type == classifier.FAMILY and condition.name not in elsewhere
    }
    opened = classifier.Opened(
        prompted.PromptedClassifiers({}),
        {key: question for key, question in questions.items() if key not in local},
    )
    try:
        build_evaluators(routing.signals, used - local, Dependencies(_Blank(), settings, where, opened))
    except ConfigError as error:
        yield from error.problems
