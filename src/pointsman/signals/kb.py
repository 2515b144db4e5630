"""Nearness to a knowledge base: labelled example texts, labels in groups.

A label's score is that of its prototypes; it is reached from its own threshold on. A group's score is the
best of its labels, and it is reached when one of them is. ``match: threshold`` matches a target that is
reached, ``match: best`` only the best of those reached. A knowledge base is one embedding for all rules.

Its metrics are signals too, of the family ``kb_metric``, named ``base:metric``: ``best_score``,
``best_matched_score`` and every ``group_margin``. They always match; their value, from -1 to 1, stands where
others have a confidence.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.model_catalog import KnowledgeBase
from pointsman.config.signals import KbSignal, Signals
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import TextEncoder
from pointsman.signals.examples import embedded
from pointsman.signals.kb_files import labels_of
from pointsman.signals.prototypes import Bank, Scoring, leaders, prototypes

FAMILY: Final = "kb"
METRIC: Final = "kb_metric"
BEST, BEST_MATCHED = "best_score", "best_matched_score"
SHIPPED_ELSEWHERE: Final = frozenset({"privacy_kb", "mmlu_kb"})
"""Names the semantic router ships data for; here they are declared like any other."""

_KBS: Final = "global.model_catalog.kbs"


class Verdict(msgspec.Struct, frozen=True):
    """How near a text is to everything in a knowledge base."""

    labels: Mapping[str, float]
    groups: Mapping[str, float]
    reached_labels: frozenset[str]
    reached_groups: frozenset[str]
    lead: float = 0.0
    """What the best must be ahead of the second that is reached."""

    def score(self, rule: KbSignal) -> float:
        """Of the rule's target."""
        return (self.labels if rule.target.kind == "label" else self.groups)[rule.target.value]

    def matches(self, rule: KbSignal) -> bool:
        """Whether the rule's target is reached, and the best where it must be."""
        scores, reached = (
            (self.labels, self.reached_labels)
            if rule.target.kind == "label"
            else (self.groups, self.reached_groups)
        )
        if rule.target.value not in reached:
            return False
        ranked = leaders({name: scores[name] for name in reached}, self.lead)
        return rule.match == "threshold" or rule.target.value == next(iter(ranked), None)


class Base(msgspec.Struct, frozen=True):
    """A knowledge base at work."""

    bank: Bank
    scoring: Scoring
    thresholds: Mapping[str, float]
    """By label."""
    groups: Mapping[str, tuple[str, ...]]
    margins: Mapping[str, tuple[str, str]]
    """Positive and negative group by metric."""

    def verdict(self, scores: Mapping[str, float]) -> Verdict:
        """What the scores of the labels amount to."""
        reached = frozenset(name for name, value in scores.items() if value >= self.thresholds[name])
        return Verdict(
            labels=scores,
            groups={name: max(scores[label] for label in labels) for name, labels in self.groups.items()},
            reached_labels=reached,
            reached_groups=frozenset(
                name for name, labels in self.groups.items() if not reached.isdisjoint(labels)
            ),
            lead=self.scoring.lead,
        )

    def metrics(self, verdict: Verdict) -> Mapping[str, float]:
        """The numbers computed from a verdict."""
        reached = [verdict.labels[name] for name in verdict.reached_labels]
        return {
            BEST: max(verdict.labels.values()),
            BEST_MATCHED: max(reached, default=0.0),
            **{
                name: verdict.groups[good] - verdict.groups[bad] for name, (good, bad) in self.margins.items()
            },
        }


class KbEvaluator:
    """All rules and metrics in use, answered by one embedding. An encoder that fails fails all of them."""

    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        bases: Mapping[str, Base],
        rules: Mapping[SignalKey, KbSignal],
        metrics: Mapping[SignalKey, tuple[str, str]],
        *,
        family: str = FAMILY,
    ) -> None:
        self.family = family
        self._encoder = encoder
        self._bases = bases
        self._rules = rules
        self._metrics = metrics
        self.keys = frozenset({*rules, *metrics})

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule and metric. Raises what the encoder raises."""
        vector = await self._encoder.embed(request.text)
        verdicts = {
            name: base.verdict(base.bank.scores(vector, base.scoring)) for name, base in self._bases.items()
        }
        return (
            *(_signal(key, rule, verdicts[rule.kb]) for key, rule in self._rules.items()),
            *(
                Signal(key, matched=True, confidence=self._bases[name].metrics(verdicts[name])[metric])
                for key, (name, metric) in self._metrics.items()
            ),
        )


def _signal(key: SignalKey, rule: KbSignal, verdict: Verdict) -> Signal:
    score, matched = verdict.score(rule), verdict.matches(rule)
    detail = f"{rule.target.value} {score:.2f}" if matched else ""
    return Signal(key, matched=matched, confidence=min(1.0, max(0.0, score)), detail=detail)


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> KbEvaluator:
    """The evaluator of the rules in use, with the examples of the knowledge bases they name.

    Raises ConfigError for knowledge bases that are not declared or cannot be read, and for targets that
    they do not have.
    """
    path = f"{where}.signals.kb"
    rules = {
        SignalKey(FAMILY, rule.name): (f"{path}[{index}]", rule)
        for index, rule in enumerate(signals.kb)
        if SignalKey(FAMILY, rule.name) in used
    }
    bases = _bases({rule.kb: f"{at}.kb" for at, rule in reversed(rules.values())}, encoder, settings)
    problems = [problem for at, rule in rules.values() for problem in _target(at, rule, bases[rule.kb])]
    if problems:
        raise ConfigError(problems)
    return KbEvaluator(encoder, bases, {key: rule for key, (_, rule) in rules.items()}, {})


def build_metrics(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> KbEvaluator:
    """The evaluator of the metrics in use. Raises ConfigError as ``build`` does."""
    del signals
    path = f"{where}.projections.scores"
    metrics = {
        key: (key.name.partition(":")[0], key.name.partition(":")[2]) for key in used if key.family == METRIC
    }
    bases = _bases({name: path for name, _ in metrics.values()}, encoder, settings)
    problems = [
        Problem(
            Severity.ERROR,
            path,
            f"the knowledge base {name!r} has no metric {metric!r}",
            f"use one of {', '.join((BEST, BEST_MATCHED, *bases[name].margins))}",
        )
        for name, metric in metrics.values()
        if metric not in {BEST, BEST_MATCHED, *bases[name].margins}
    ]
    if problems:
        raise ConfigError(problems)
    return KbEvaluator(encoder, bases, {}, metrics, family=METRIC)


def _bases(named: Mapping[str, str], encoder: TextEncoder, settings: Settings) -> dict[str, Base]:
    """The knowledge bases behind some names, each with the key path that names it."""
    declared = {kb.name: (index, kb) for index, kb in enumerate(settings.global_.model_catalog.kbs)}
    problems = [_undeclared(at, name, declared) for name, at in named.items() if name not in declared]
    if problems:
        raise ConfigError(problems)
    shared = settings.global_.model_catalog.embeddings.semantic.embedding_config
    bases: dict[str, Base] = {}
    for name in named:
        index, written = declared[name]
        at = f"{_KBS}[{index}]"
        texts = labels_of(written.source, where=at)
        if found := [*_inconsistencies(written, texts, at)]:
            raise ConfigError(found)
        scoring = Scoring.of(written.prototype_scoring, shared.prototype_scoring)
        usual = shared.min_score_threshold if written.threshold is None else written.threshold
        vectors = embedded(encoder, texts, where=f"{at}.source")
        bases[name] = Base(
            Bank.of({label: prototypes(each, scoring) for label, each in vectors.items()}),
            scoring,
            {label: written.label_thresholds.get(label, usual) for label in texts},
            written.groups,
            {each.name: (each.positive_group, each.negative_group) for each in written.metrics},
        )
    return bases


def _undeclared(at: str, name: str, declared: Mapping[str, object]) -> Problem:
    if name in SHIPPED_ELSEWHERE:
        message = f"{name} comes with the semantic router's data, which this package does not ship"
        return Problem(Severity.ERROR, at, message, f"declare it under {_KBS} with its files as source")
    near = nearest(name, declared)
    hint = f"did you mean {near}?" if near else f"declare it under {_KBS}"
    return Problem(Severity.ERROR, at, f"there is no knowledge base {name!r}", hint)


def _inconsistencies(
    written: KnowledgeBase, texts: Mapping[str, Sequence[str]], at: str
) -> Iterator[Problem]:
    """Labels and groups that are named and not there."""
    named = [(f"{at}.label_thresholds.{label}", label) for label in written.label_thresholds]
    named += [
        (f"{at}.groups.{group}[{position}]", label)
        for group, labels in written.groups.items()
        for position, label in enumerate(labels)
    ]
    for path, label in named:
        if label not in texts:
            yield _missing(path, "label", label, texts)
    for group, labels in written.groups.items():
        if not labels:
            yield Problem(Severity.ERROR, f"{at}.groups.{group}", "is a group of no label", "list its labels")
    for index, metric in enumerate(written.metrics):
        for key, group in (
            ("positive_group", metric.positive_group),
            ("negative_group", metric.negative_group),
        ):
            if group not in written.groups:
                yield _missing(f"{at}.metrics[{index}].{key}", "group", group, written.groups)


def _target(at: str, rule: KbSignal, base: Base) -> Iterator[Problem]:
    known: Mapping[str, object] = base.thresholds if rule.target.kind == "label" else base.groups
    if rule.target.value not in known:
        yield _missing(f"{at}.target.value", rule.target.kind, rule.target.value, known)


def _missing(path: str, what: str, name: str, known: Mapping[str, object]) -> Problem:
    near = nearest(name, known)
    remedy = (
        f"did you mean {near}?"
        if near
        else f"use one of {', '.join(known)}"
        if known
        else f"declare a {what}"
    )
    return Problem(Severity.ERROR, path, f"the knowledge base has no {what} {name!r}", remedy)
