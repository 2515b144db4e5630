"""Thresholds that every text reaches, or none: by what the encoder yields, or by what numbers can be.

Measured ranges (``ranges``) leave out one text in a hundred on either side; what is said of them says so.
"""

import math
from collections.abc import Iterator

from pointsman.config.document import Settings
from pointsman.config.projection_keys import BAND, KB_METRIC
from pointsman.config.projections import Score, ScoreInput
from pointsman.config.routing import Routing
from pointsman.core.problem import Problem, Severity
from pointsman.decisions.ranges import DOMAIN, JAILBREAK, NEAREST, UNRELATED, Range

_MODULES = "global.model_catalog.modules"
_UNIT = (0.0, 1.0)


def shared_thresholds(settings: Settings) -> Iterator[Problem]:
    """Warnings about thresholds set once for all recipes."""
    modules = settings.global_.model_catalog.modules
    if "threshold" in modules.prompt_guard.model_fields_set:
        path = f"{_MODULES}.prompt_guard.threshold"
        yield from _outside(modules.prompt_guard.threshold, JAILBREAK, path, "takes for an attack")
    if "threshold" in modules.classifier.domain.model_fields_set:
        path = f"{_MODULES}.classifier.domain.threshold"
        yield from _outside(modules.classifier.domain.threshold, DOMAIN, path, "puts into a domain")


def thresholds(routing: Routing, *, soft: bool) -> Iterator[Problem]:
    """Warnings about the thresholds of one routing; ``soft``: embedding rules may match below theirs."""
    for index, rule in enumerate(routing.signals.jailbreak):
        if rule.method != "contrastive" and "threshold" in rule.model_fields_set:
            path = f"routing.signals.jailbreak[{index}].threshold"
            yield from _outside(rule.threshold, JAILBREAK, path, "takes for an attack")
    for index, embedding in enumerate(routing.signals.embeddings):
        path = f"routing.signals.embeddings[{index}].threshold"
        scale = Range(UNRELATED.low, math.inf if soft else NEAREST.high)
        yield from _outside(embedding.threshold, scale, path, "matches")
    for index, length in enumerate(routing.signals.context):
        if length.max_tokens is not None and length.max_tokens < length.min_tokens:
            path = f"routing.signals.context[{index}].max_tokens"
            message = f"is {length.max_tokens}, less than min_tokens: {length.name!r} never matches"
            yield _warning(path, message, "swap the two")
    yield from _bands(routing)


def _outside(threshold: float, scale: Range, path: str, effect: str) -> Iterator[Problem]:
    if threshold <= scale.low:
        message = f"is {threshold:g}: it {effect} 99 of 100 texts, which score {scale.low:.2g} and more"
        yield _warning(path, message, f"set it above {max(scale.low, 0):.2g}")
    elif threshold > scale.high:
        message = (
            f"is {threshold:g}: it {effect} less than one text in 100, which seldom score {scale.high:.2g}"
        )
        yield _warning(path, message, f"set it below {scale.high:.2g}")


def _bands(routing: Routing) -> Iterator[Problem]:
    """Bands that no value of their score lies in, and those behind a band that always holds."""
    scores = {score.name: score for score in routing.projections.scores}
    for index, mapping in enumerate(routing.projections.mappings):
        least, most = _span(scores[mapping.source], scores)
        covered = ""
        for position, output in enumerate(mapping.outputs):
            path = f"routing.projections.mappings[{index}].outputs[{position}]"
            low = max((edge for edge in (output.gt, output.gte) if edge is not None), default=-math.inf)
            high = min((edge for edge in (output.lt, output.lte) if edge is not None), default=math.inf)
            if covered and mapping.method == "threshold_bands":
                message = f"{output.name!r} never holds: {covered!r} before it always does"
                yield _warning(path, message, "put it first, or use multi_emit")
            elif low > high or (low == high and (output.gt == low or output.lt == high)):
                yield _warning(path, f"no number lies in {output.name!r}", "correct its bounds")
            elif low > most or high < least:
                message = f"{output.name!r} never holds: {mapping.source!r} is from {least:.3g} to {most:.3g}"
                yield _warning(path, message, "correct its bounds, or the weights of the score")
            if low == -math.inf and high == math.inf:
                covered = covered or output.name


def _span(score: Score, scores: dict[str, Score]) -> tuple[float, float]:
    """The least and the greatest value a score can have, a little widened for what rounding adds."""
    spans = [sorted(given.weight * edge for edge in _input_span(given, scores)) for given in score.inputs]
    slack = 1e-9 * (1 + sum(abs(edge) for span in spans for edge in span))
    return sum(low for low, _ in spans) - slack, sum(high for _, high in spans) + slack


def _input_span(given: ScoreInput, scores: dict[str, Score]) -> tuple[float, float]:
    if given.type == KB_METRIC:
        return (-2.0, 2.0)
    if given.type == BAND and given.name in scores:
        return _span(scores[given.name], scores)
    miss = 0.0 if given.miss is None else given.miss
    if given.value_source in {"score", "raw"}:
        return _UNIT
    if given.value_source == "confidence":
        return (min(0.0, miss), max(1.0, miss))
    match = 1.0 if given.match is None else given.match
    return (min(match, miss), max(match, miss))


def _warning(path: str, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, path, message, remedy)
