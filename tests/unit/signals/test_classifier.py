import asyncio
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pointsman.config import parse
from pointsman.config.conditions import Condition
from pointsman.config.document import Settings
from pointsman.config.routing import Routing
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Head, Message
from pointsman.core.rule import Leaf, LeafTrace, Node, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward
from pointsman.decisions.asked import asked
from pointsman.decisions.compile import signal_key
from pointsman.decisions.evaluate import evaluate
from pointsman.runtime import Runtime, build
from pointsman.signals.classifier import ClassifierEvaluator, Opened, plugs
from pointsman.signals.table import Dependencies, build_evaluators
from unit.encoder import graphs

REQUEST = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", "text"),), b"")
TONE = ("kind", "rude")


@dataclass
class Classifiers:
    """Classifiers that say what they are told to, or raise it."""

    answers: Mapping[str, Mapping[str, float] | Exception]
    asked: list[str] = field(default_factory=list)
    plugged: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"tone": TONE, "mood": TONE})

    async def encode(self, text: str) -> Any:
        raise AssertionError(text)

    async def classify(self, name: str, text: str) -> Mapping[str, float]:
        """The answer for the one text there is."""
        assert text == "text"
        self.asked.append(name)
        answer = self.answers[name]
        if isinstance(answer, TimeoutError):
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


def rude(*, name: str = "tone", label: str = "rude", **bounds: float) -> dict[str, Any]:
    """A condition on a label of a classifier."""
    return {"type": "classifier", "name": name, "label": label} | ({"predicate": bounds} if bounds else {})


def evaluator(
    classifiers: Classifiers, *conditions: Mapping[str, Any], timeout_s: float = 60.0, **rule: Any
) -> ClassifierEvaluator:
    """The evaluator of some conditions on classifiers that are all declared alike."""
    signals = Signals.model_validate(
        {
            "classifiers": [
                {"name": name, "type": "local", "model_path": "m"} | rule for name in ("tone", "mood")
            ]
        }
    )
    decision = {"name": "d", "rules": {"operator": "AND", "conditions": [*conditions]}}
    questions = asked(Routing.model_validate({"decisions": [decision]}))
    opened = Opened(classifiers, questions, timeout_s=timeout_s)
    dependencies = Dependencies(classifiers, Settings(version="v0.3"), classifiers=opened)
    (built,) = build_evaluators(signals, set(questions), dependencies)
    assert isinstance(built, ClassifierEvaluator)
    return built


def observed(classifiers: Classifiers, *conditions: Mapping[str, Any], **rest: Any) -> list[Signal]:
    """One signal for each condition, in order."""
    built = evaluator(classifiers, *conditions, **rest)
    signals = {signal.key: signal for signal in asyncio.run(built.evaluate(REQUEST))}
    assert signals.keys() == built.keys
    return [signals[signal_key(Condition.model_validate(condition))] for condition in conditions]


@pytest.mark.parametrize(
    ("bounds", "matches"),
    [
        ({}, [False, True, True]),
        ({"gt": 0.5}, [False, False, True]),
        ({"gte": 0.5}, [False, True, True]),
        ({"lt": 0.5}, [True, False, False]),
        ({"lte": 0.5}, [True, True, False]),
        ({"gt": 0.4, "lt": 0.6}, [False, True, False]),
        ({"gte": 0.75}, [False, False, True]),
    ],
)
def test_every_bound_on_the_labels_probability_must_hold(
    bounds: dict[str, float], matches: list[bool]
) -> None:
    """Bounds are exact at their edge, combine, and default to at least a half."""
    found = [
        observed(Classifiers({"tone": {"kind": 1 - each, "rude": each}}), rude(**bounds))[0]
        for each in (0.25, 0.5, 0.75)
    ]
    assert [signal.matched for signal in found] == matches
    assert [signal.confidence for signal in found] == [0.25, 0.5, 0.75]


def test_what_matched_is_told() -> None:
    """The detail of a match is the label and its probability; what did not match has none."""
    kind, unkind = observed(
        Classifiers({"tone": {"kind": 0.9, "rude": 0.1}}), rude(label="kind"), rude(label="rude")
    )
    assert (kind.detail, unkind.detail) == ("kind 0.90", "")


def test_a_classifier_is_asked_once() -> None:
    """Several conditions on one classifier cost one question."""
    classifiers = Classifiers({"tone": {"kind": 0.3, "rude": 0.7}})
    soft, hard, other = observed(classifiers, rude(), rude(gte=0.9), rude(label="kind", lt=0.5))
    assert (soft.matched, hard.matched, other.matched) == (True, False, True)
    assert classifiers.asked == ["tone"]


def test_a_classifier_that_fails_harms_no_other() -> None:
    """The failed one's conditions carry the kind of error, never its text; the other's are answered."""
    classifiers = Classifiers({"tone": RuntimeError("the prompt"), "mood": {"kind": 0.2, "rude": 0.8}})
    failed, fine = observed(classifiers, rude(), rude(name="mood"))
    assert (failed.matched, failed.error, failed.detail) == (False, "RuntimeError", "")
    assert (fine.matched, fine.error) == (True, "")


@pytest.mark.parametrize(
    ("error", "reason"), [(RuntimeError("x"), "RuntimeError"), (TimeoutError(), "no answer within 1 ms")]
)
def test_on_error_may_ask_for_a_match(error: Exception, reason: str) -> None:
    """With `on_error: match` a failure and a late answer match, without confidence, and say why."""
    (signal,) = observed(Classifiers({"tone": error}), rude(), on_error="match", timeout_s=0.001)
    assert (signal.matched, signal.confidence) == (True, 0.0)
    assert signal.detail == f"on_error: match, after {reason}"


def test_a_late_classifier_has_failed() -> None:
    """Without a wish for errors a late answer is a failed signal."""
    (signal,) = observed(Classifiers({"tone": TimeoutError()}), rude(), timeout_s=0.001)
    assert (signal.matched, signal.error) == (False, "no answer within 1 ms")


@pytest.mark.parametrize(
    ("condition", "path", "remedy"),
    [
        (rude(label="rudde"), "label", "did you mean rude?"),
        (rude(label=""), "label", "use one of kind, rude"),
        (rude(gte=50), "predicate.gte", "use a number from 0 to 1"),
    ],
)
def test_conditions_that_no_answer_can_meet_are_refused(
    condition: dict[str, Any], path: str, remedy: str
) -> None:
    """Labels that do not exist and bounds outside 0 to 1 are errors at their place in the document."""
    with pytest.raises(ConfigError) as caught:
        evaluator(Classifiers({}), rude(), condition)
    (problem,) = caught.value.problems
    assert problem.path == f"routing.decisions[0].rules.conditions[1].{path}"
    assert problem.remedy == remedy


def test_nothing_is_opened_for_a_prompted_classifier() -> None:
    """Only local classifiers have files."""
    signals = Signals.model_validate({"classifiers": [{"name": "tone", "type": "llm", "model": "m"}]})
    key = SignalKey("classifier", "tone:rude")
    assert plugs(signals, {key: ("", Condition.model_validate(rude()))}) == {}


def test_a_failure_that_matches_is_still_a_failure() -> None:
    """With `on_error: match` the decision holds, and the signal and the trace say that it failed."""
    (signal,) = observed(Classifiers({"tone": RuntimeError("x")}), rude(), on_error="match")
    assert (signal.error, signal.assumed) == ("RuntimeError", True)
    trace = evaluate(Leaf(signal.key), SignalSet.of([signal]))
    assert isinstance(trace, LeafTrace)
    assert (trace.matched, trace.error) == (True, "RuntimeError")
    negated = evaluate(Node(Operator.NOT, (Leaf(signal.key),)), SignalSet.of([signal]))
    assert not negated.matched


def test_bounds_that_differ_late_ask_different_questions() -> None:
    """Conditions whose bounds agree in six digits have signals of their own."""
    near = [Condition.model_validate(rude(gte=bound)) for bound in (0.12345678, 0.12345679)]
    assert signal_key(near[0]) != signal_key(near[1])


def document(*conditions: Mapping[str, Any], **classifiers: Mapping[str, Any]) -> str:
    """A document whose only decision leads to `large`."""
    return yaml.safe_dump(
        {
            "version": "v0.3",
            "providers": {
                "defaults": {"default_model": "small"},
                "models": [
                    {"name": name, "backend_refs": [{"endpoint": "127.0.0.1:8000"}]}
                    for name in ("small", "large")
                ],
            },
            "routing": {
                "modelCards": [{"name": "small"}, {"name": "large"}],
                "signals": {
                    "classifiers": [
                        {"name": name, "type": "local", **rest} for name, rest in classifiers.items()
                    ]
                },
                "decisions": [
                    {
                        "name": "d",
                        "priority": 1,
                        "rules": {"operator": "AND", "conditions": [*conditions]},
                        "modelRefs": [{"model": "large"}],
                    }
                ],
            },
        }
    )


@contextmanager
def running(text: str) -> Iterator[Runtime]:
    """The runtime of a document."""
    runtime = build(parse(text, {}), {})
    yield runtime
    runtime.close()


def routed(runtime: Runtime, text: str) -> Ruling:
    """What becomes of a chat request."""
    body = json.dumps({"model": "MoM", "messages": [{"role": "user", "content": text}]}).encode()
    return asyncio.run(runtime.pipeline.route(Head("POST", "/v1/chat/completions", {}), body))


def saved(path: Path, **arrays: Any) -> str:
    """A head in a file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    path.write_bytes(file.getvalue())
    return str(path)


def test_a_graph_of_the_users_own_routes(tmp_path: Path) -> None:
    """A document with a classifier's folder sends what it finds rude to another model."""
    folder = graphs.write_classifier(tmp_path / "tone")
    tone = {"model_path": str(folder), "labels": [*TONE]}
    with running(document(rude(gte=0.9), tone=tone)) as runtime:
        for text, model in (("bad bad", "large"), ("good", "small")):
            verdict = routed(runtime, text).verdict
            assert isinstance(verdict, Forward)
            assert verdict.pool == model


def test_a_head_of_the_users_own_routes(tmp_path: Path) -> None:
    """A head's file decides on the pass that the subject is read from, its bias here on every text."""
    path = saved(
        tmp_path / "tone.npz",
        weights=np.zeros((2, 1152), np.float32),
        bias=np.array([0.0, 3.0], np.float32),
        labels=np.array(TONE),
    )
    with running(document(rude(), tone={"model_path": path})) as runtime:
        ruling = routed(runtime, "anything")
        (signal,) = ruling.trace.signals
        assert signal.confidence == pytest.approx(1 / (1 + np.exp(-3)))
        assert isinstance(ruling.verdict, Forward)
        assert ruling.verdict.pool == "large"


def test_on_error_match_routes_when_the_classifier_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision on a classifier that fails is taken when its author asked for that, and only then."""
    folder = graphs.write_classifier(tmp_path / "tone")
    for on_error, model in (("match", "large"), ("no_match", "small")):
        tone = {"model_path": str(folder), "labels": [*TONE], "on_error": on_error}
        with running(document(rude(), tone=tone)) as runtime, monkeypatch.context() as patch:
            queue = runtime.encoder._graphs["tone"]
            patch.setattr(queue._graph, "_kinds", {})
            verdict = routed(runtime, "good").verdict
            assert isinstance(verdict, Forward)
            assert verdict.pool == model


def test_files_that_cannot_be_used_are_config_errors(tmp_path: Path) -> None:
    """Each classifier that some condition names is refused at its key, with its value and a remedy."""
    folder = graphs.write_classifier(tmp_path / "tone")
    text = document(
        rude(),
        rude(name="mood"),
        unused={"model_path": "nowhere"},
        tone={"model_path": "some-org/tone"},
        mood={"model_path": str(folder), "labels": ["kind", "rude", "odd"]},
    )
    with pytest.raises(ConfigError) as caught:
        build(parse(text, {}), {})
    first, second = caught.value.problems
    assert first.path == "routing.signals.classifiers[1].model_path"
    assert "'some-org/tone'" in first.message
    assert "nothing is downloaded" in first.remedy
    assert second.path == "routing.signals.classifiers[2].labels"
    assert "kind, rude, odd" in second.message
