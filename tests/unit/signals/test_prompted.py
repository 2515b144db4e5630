"""Classifiers that are prompted models."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pointsman.config.conditions import Condition
from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.signal import Signal, SignalKey
from pointsman.decisions.compile import signal_key
from pointsman.signals import prompted
from pointsman.signals.classifier import Opened
from pointsman.signals.prompted import Endpoint, ModelBusy, ModelFailed, Prompt, PromptedClassifiers, chat
from pointsman.signals.prompted_answer import MOST_CHARACTERS, NoLabel, messages, probabilities
from pointsman.signals.table import Dependencies, build_evaluators
from unit.signals.fakes import Encoder, conversation, document

LABELS = ("kind", "rude", "neutral")
ENDPOINT = Endpoint("http://judge", "m")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"label": "rude", "confidence": 0.8}', (0.1, 0.8, 0.1)),
        ('```json\n{"label": "Rude"}\n```', (0.0, 1.0, 0.0)),
        ('<think>kind? {"label": "kind"}</think> {"label": "rude", "confidence": 1}', (0.0, 1.0, 0.0)),
        ("neutral.", (0.0, 0.0, 1.0)),
        ('{"label": "kind", "confidence": 7}', (1.0, 0.0, 0.0)),
        ('{"label": "kind", "confidence": "high"}', (1.0, 0.0, 0.0)),
    ],
)
def test_an_answer_becomes_probabilities(answer: str, expected: tuple[float, ...]) -> None:
    """The label named gets its confidence, the others share the rest; thoughts and fences do not count."""
    assert [probabilities(answer, LABELS)[label] for label in LABELS] == pytest.approx(expected)


@pytest.mark.parametrize("answer", ["", "I cannot say", '{"label": "angry"}', '{"label": 3}', "{}"])
def test_an_answer_without_a_label_is_none(answer: str) -> None:
    """It is a failure, and the error does not quote it."""
    with pytest.raises(NoLabel, match=r"^the answer names none of the labels$"):
        probabilities(answer, LABELS)


def test_the_text_stands_apart_and_is_bounded() -> None:
    """Instructions and labels are the system's turn, the text is the user's, its middle left out when long."""
    system, user = messages("Judge.", LABELS, "a" * MOST_CHARACTERS + "b" * MOST_CHARACTERS)
    assert system["content"].startswith("Judge.")
    assert "kind, rude, neutral" in system["content"]
    assert len(user["content"]) < MOST_CHARACTERS + 20
    assert (user["content"][0], user["content"][-1]) == ("a", "b")


def test_calls_at_once_are_bounded() -> None:
    """One call more than may run fails at once, and there is room again afterwards."""

    async def scenario() -> None:
        release = asyncio.Event()

        async def ask(endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> str:
            assert endpoint is ENDPOINT
            assert messages
            await release.wait()
            return "kind"

        models = PromptedClassifiers({"tone": Prompt(ENDPOINT, LABELS)}, ask=ask, concurrent=1)
        first = asyncio.create_task(models.classify("tone", "x"))
        await asyncio.sleep(0)
        with pytest.raises(ModelBusy):
            await models.classify("tone", "y")
        release.set()
        assert (await first)["kind"] == 1.0
        assert (await models.classify("tone", "z"))["kind"] == 1.0

    asyncio.run(scenario())


def signals_of(document_: Settings, answer: Any, **rule: Any) -> Signal:
    """The one signal of a document with a prompted classifier, whose model answers with what a handler says."""
    condition = Condition.model_validate({"type": "classifier", "name": "tone", "label": "rude"})
    written = {
        "name": "tone",
        "type": "llm",
        "model": "judge",
        "labels": LABELS,
        "instructions": "Judge.",
    } | rule

    async def scenario() -> Signal:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        async with TestServer(app) as server:
            [model] = document_.global_.model_catalog.external
            at = model.llm_endpoint.model_copy(update={"address": server.host, "port": server.port})
            catalog = document_.global_.model_catalog.model_copy(
                update={"external": (model.model_copy(update={"llm_endpoint": at}),)}
            )
            settings = document_.model_copy(
                update={"global_": document_.global_.model_copy(update={"model_catalog": catalog})}
            )
            opened = Opened(None, {signal_key(condition): ("here", condition)}, timeout_s=5.0)
            (built,) = build_evaluators(
                Signals.model_validate({"classifiers": [written]}),
                {signal_key(condition)},
                Dependencies(Encoder(), settings, classifiers=opened),
            )
            (signal,) = await built.evaluate(conversation("You fool"))
            return signal

    return asyncio.run(scenario())


def judge(**fields: Any) -> Settings:
    """A document with one external model."""
    return document(external=[{"name": "judge", "llm_endpoint": {"address": "unset"}} | fields])


def completion(content: Any) -> web.Response:
    return web.json_response({"choices": [{"message": {"content": content}}]})


def test_a_model_is_asked_as_the_document_says() -> None:
    """Model, key, bounds and instructions reach it; its answer decides."""
    seen: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(await request.json(), key=request.headers["authorization"])
        return completion('{"label": "rude", "confidence": 0.9}')

    settings = judge(llm_model_name="small", access_key="k", max_tokens=7, temperature=0.5)
    signal = signals_of(settings, answer)
    assert (signal.matched, signal.confidence, signal.detail) == (True, 0.9, "rude 0.90")
    assert (seen["model"], seen["key"], seen["max_tokens"], seen["temperature"]) == (
        "small",
        "Bearer k",
        7,
        0.5,
    )
    assert seen["messages"][1] == {"role": "user", "content": "You fool"}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (lambda: web.Response(status=500), "ModelFailed"),
        (lambda: web.Response(text="no json"), "ModelFailed"),
        (lambda: completion(None), "ModelFailed"),
        (lambda: completion("no label of yours"), "NoLabel"),
        (lambda: web.Response(status=302, headers={"location": "http://elsewhere"}), "ModelFailed"),
    ],
)
@pytest.mark.parametrize("on_error", ["match", "no_match"])
def test_a_model_that_fails_does_what_on_error_says(response: Any, error: str, on_error: str) -> None:
    """Bad statuses, bad bodies, other labels and redirects are failures, seen either way."""

    async def answer(request: web.Request) -> web.Response:
        assert request.method == "POST"
        return response()  # type: ignore[no-any-return]  # a lambda of the table above

    signal = signals_of(judge(), answer, on_error=on_error)
    assert (signal.matched, signal.error) == (on_error == "match", error)


def test_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body longer than the bound is not read to its end."""
    monkeypatch.setattr(prompted, "MAX_ANSWER_BYTES", 100)

    async def answer(request: web.Request) -> web.Response:
        assert request.method == "POST"
        return completion("kind" + " " * 200)

    assert signals_of(judge(), answer).error == "ModelFailed"


def test_a_model_that_is_late_has_failed() -> None:
    """The model's own timeout ends the call."""

    async def scenario() -> None:
        async def ask(endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> str:
            assert endpoint.model
            assert messages
            await asyncio.Event().wait()
            return ""

        late = Endpoint("http://judge", "m", timeout_s=0.001)
        with pytest.raises(TimeoutError):
            await PromptedClassifiers({"tone": Prompt(late, LABELS)}, ask=ask).classify("tone", "x")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("rule", "settings", "path"),
    [
        ({"model": "juge"}, judge(), "routing.signals.classifiers[0].model"),
        ({"labels": ["rude"]}, judge(), "routing.signals.classifiers[0].labels"),
        ({}, judge(llm_endpoint={}), "global.model_catalog.external[0].llm_endpoint.address"),
    ],
)
def test_a_prompted_classifier_that_cannot_work_is_refused(rule: Any, settings: Settings, path: str) -> None:
    """Unknown models, models without an address and a single label are errors at their key."""
    written = {"name": "tone", "type": "llm", "model": "judge", "labels": LABELS} | rule
    signals = Signals.model_validate({"classifiers": [written]})
    with pytest.raises(ConfigError) as error:
        prompted.build(signals, ["tone"], settings, where="routing")
    assert error.value.problems[0].path == path


def test_a_classifier_that_no_condition_names_is_not_checked() -> None:
    """Only what is used has to work."""
    signals = Signals.model_validate({"classifiers": [{"name": "tone", "type": "llm", "model": "absent"}]})
    assert not prompted.build(signals, [], document(), where="routing").plugged


def test_a_bad_status_is_told_without_its_body() -> None:
    """The error has the number alone: a body may quote the prompt."""

    async def scenario() -> None:
        async def answer(request: web.Request) -> web.Response:
            assert request.method == "POST"
            return web.Response(status=400, text="You fool")

        app = web.Application()
        app.router.add_post("/", answer)
        async with TestServer(app) as server:
            with pytest.raises(ModelFailed, match=r"^status 400$"):
                await chat(Endpoint(str(server.make_url("/")), "m"), [])

    asyncio.run(scenario())


def test_keys_of_prompted_classifiers_have_their_label() -> None:
    """They are named as those of local classifiers are."""
    condition = Condition.model_validate({"type": "classifier", "name": "tone", "label": "rude"})
    assert signal_key(condition) == SignalKey("classifier", "tone:rude")
