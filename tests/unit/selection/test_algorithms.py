import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.config import Settings, examine, parse
from pointsman.core.errors import ConfigError, Unavailable
from pointsman.core.model import Candidate, Selection
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import SignalSet
from pointsman.fleet.ending import Ending
from pointsman.fleet.observed import ObservedFleet
from pointsman.fleet.static import candidates_from, catalog_from
from pointsman.selection.base import Asked, Choice, Selector
from pointsman.selection.latency_aware import Fastest
from pointsman.selection.outcomes import Outcomes, OutcomesError
from pointsman.selection.select import select
from pointsman.selection.strict import Strict
from pointsman.selection.table import Dependencies, build_selector

MODELS = """
version: v0.3
providers:
  models:
    - {name: a, backend_refs: [{endpoint: "127.0.0.1:1"}]}
    - {name: b, backend_refs: [{endpoint: "127.0.0.1:2"}]}
"""
NO_MODELS = "[{model: a}, {model: b}]"


class Still:
    """Every text has the same vector."""

    identity = "still/1"

    def embed_now(self, text: str) -> np.ndarray:
        del text
        return np.full(4, 0.5, dtype=np.float32)

    async def embed(self, text: str) -> np.ndarray:
        return self.embed_now(text)


def document(algorithm: str, refs: str = NO_MODELS, more: str = "") -> Settings:
    written = f", algorithm: {algorithm}" if algorithm else ""
    return parse(f"{MODELS}\n{more}\nrouting: {{decisions: [{{name: d, modelRefs: {refs}{written}}}]}}\n", {})


def built(
    settings: Settings, fleet: ObservedFleet | None = None
) -> tuple[Selector | None, tuple[Candidate, ...]]:
    decision = settings.routing.decisions[0]
    candidates = candidates_from(settings, catalog_from(settings, {}), decision)
    where = "routing.decisions[0]"
    wanted = Dependencies(Still(), settings, settings.routing, fleet or ObservedFleet(), candidates, where)
    return build_selector(decision, wanted), candidates


def asked(*, stream: bool = False) -> Asked:
    messages = (Message("user", "hello"),)
    return Asked(ChatRequest(Dialect.OPENAI_CHAT, "MoM", messages, b"", stream=stream), SignalSet(), "d")


def chosen(settings: Settings, fleet: ObservedFleet | None = None) -> Selection:
    selector, candidates = built(settings, fleet)
    return asyncio.run(select(selector, candidates, candidates, asked()))


def refusal(settings: Settings) -> str:
    with pytest.raises(ConfigError) as caught:
        built(settings)
    [problem] = caught.value.problems
    assert problem.remedy
    return str(problem)


@pytest.mark.parametrize(
    "algorithm",
    [
        "{type: static}",
        "{type: weighted}",
        "{type: router_dc}",
        "{type: latency_aware}",
        "{type: multi_factor}",
        "{type: multi_factor, multi_factor: {slo: {max_ttft_ms: 1, max_cost_per_1m: 1}}}",
        "{type: hybrid}",
        "{type: hybrid, hybrid: {normalize_scores: false, router_dc_weight: 0}}",
        "{type: router_dc, router_dc: {require_descriptions: true}}",
    ],
)
def test_nothing_has_to_be_known_of_a_candidate(algorithm: str) -> None:
    """No price, quality, description or time: every algorithm still chooses."""
    selection = chosen(document(algorithm))
    assert selection.candidate.target.name in {"a", "b"}
    assert not selection.reason.startswith("failed")


@pytest.mark.parametrize(
    ("algorithm", "fallback"),
    [
        ("{type: latency_aware}", True),
        ("{type: router_dc, router_dc: {require_descriptions: true}}", True),
        ("{type: router_dc, router_dc: {min_similarity: 0.9}}", False),
        ("{type: multi_factor}", False),
    ],
)
def test_having_nothing_to_choose_by_is_on_record(algorithm: str, fallback: bool) -> None:
    """The first candidate is taken and the selection says that it was for want of data."""
    selection = chosen(document(algorithm))
    assert selection.fallback is fallback
    assert not fallback or selection.candidate.target.name == "a"


def test_weights_without_an_algorithm_are_shares() -> None:
    """Weights other than 1 ask for weighted; all 1 ask for the first."""
    assert chosen(document("", "[{model: a, weight: 0}, {model: b, weight: 2}]")).algorithm == "weighted"
    assert chosen(document("", "[{model: a, weight: 1}, {model: b, weight: 1}]")).algorithm == "static"


def test_weights_beside_another_algorithm_are_told_to_do_nothing() -> None:
    """Nothing is silently ignored."""
    refs = "[{model: a, weight: 0.3}, {model: b, weight: 0.7}]"
    [problem] = examine(document("{type: static}", refs))
    assert problem.path == "routing.decisions[0].modelRefs"
    assert not examine(document("{type: weighted}", refs))
    assert not examine(document("", refs))


def test_weights_that_are_all_zero_are_refused() -> None:
    """A decision that could choose nothing does not start."""
    assert "modelRefs" in refusal(document("", "[{model: a, weight: 0}, {model: b, weight: 0}]"))


def test_algorithms_that_do_not_run_yet_choose_as_static_does() -> None:
    """And the document is told so."""
    settings = document("{type: fusion}")
    assert chosen(settings).algorithm == "static"
    [problem] = examine(settings)
    assert (problem.path, "static" in problem.message) == ("routing.decisions[0].algorithm.type", True)


def test_prices_in_two_currencies_are_not_compared() -> None:
    """The document is refused, naming both."""
    text = MODELS.replace("backend_refs", "pricing: {currency: EUR, prompt_per_1m: 1}, backend_refs", 1)
    text = text.replace("{name: b, ", "{name: b, pricing: {currency: USD, prompt_per_1m: 1}, ")
    decisions = f"[{{name: d, modelRefs: {NO_MODELS}, algorithm: {{type: multi_factor}}}}]"
    assert "EUR and USD" in refusal(parse(f"{text}routing: {{decisions: {decisions}}}", {}))


def test_no_candidate_within_the_objectives_may_refuse_the_request() -> None:
    """``on_no_candidates: fail`` is a 503 for the client, not a fallback."""
    slo = "multi_factor: {on_no_candidates: fail, slo: {max_inflight: 1}}"
    fleet = ObservedFleet()
    fleet.began("", "a", "a")
    fleet.began("", "b", "b")
    with pytest.raises(Unavailable, match="objectives"):
        chosen(document(f"{{type: multi_factor, {slo}}}"), fleet)


def test_the_documents_defaults_hold_where_a_decision_is_silent() -> None:
    """Key by key: the decision's own word goes first."""
    common = "global: {router: {model_selection: {router_dc: {require_descriptions: true}}}}"
    silent = document("{type: router_dc, router_dc: {min_similarity: 0.1}}", more=common)
    own = document("{type: router_dc, router_dc: {require_descriptions: false}}", more=common)
    assert chosen(silent).reason == "no candidate has a description"
    assert chosen(own).reason.startswith("description 1.00")


def test_algorithms_can_be_turned_off_for_all() -> None:
    """``model_selection.enabled: false`` leaves shares and static choices."""
    off = "global: {router: {model_selection: {enabled: false}}}"
    assert chosen(document("{type: latency_aware}", more=off)).algorithm == "static"


class Broken:
    """Raises, or never ends."""

    algorithm = "broken"

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        del candidates, asked
        if self.error:
            raise self.error
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("error", [ValueError("x"), None])
def test_on_error_fail_refuses_instead_of_falling_back(error: Exception | None) -> None:
    """An error or a late choice is a 503 that names the algorithm and nothing else."""
    candidates = built(document(""))[1]
    strict = Strict(Broken(error), timeout_s=0.01)
    with pytest.raises(Unavailable, match="broken"):
        asyncio.run(select(strict, candidates, candidates, asked()))
    assert isinstance(built(document("{type: latency_aware, on_error: fail}"))[0], Strict)


def test_one_in_twenty_streams_tries_a_model_without_times() -> None:
    """Others go to the fastest known; requests that are no stream never explore, as they measure nothing."""
    fleet = ObservedFleet()
    fleet.began("", "b", "b")
    fleet.ended("", "b", "b", Ending(status=200, ttfb_ms=100.0, stream=True))
    candidates = built(document(""))[1]
    draws = iter([0.0, 0.0, 0.05, 0.9])
    fastest = Fastest(fleet, ttft=50, tpot=None, draw=lambda: next(draws))
    names = [
        asyncio.run(fastest.choose(candidates, asked(stream=stream))).candidate.target.name
        for stream in (True, True, False)
    ]
    assert names == ["a", "b", "b"]
    assert next(draws) == 0.9


def outcomes(path: Path, **changes: Any) -> Path:
    values = {
        "encoder": "still/1",
        "models": ("a", "b"),
        "vectors": np.full((3, 4), 0.5, dtype=np.float32),
        "scores": np.array([[0, 1], [0, 1], [np.nan, 1]], dtype=np.float32),
    }
    Outcomes(**{**values, **changes}).save(path)  # type: ignore[arg-type]  # fields by name
    return path


def knn(path: object) -> Settings:
    return document(f"{{type: knn, knn: {{pretrained_path: '{path}'}}}}")


def test_knn_takes_the_model_that_did_best(tmp_path: Path) -> None:
    """Its file is found by the decision's path, or under the document's models_path."""
    path = outcomes(tmp_path / "o.npz")
    assert chosen(knn(path)).candidate.target.name == "b"
    ml = f"global: {{router: {{model_selection: {{ml: {{models_path: '{tmp_path}', knn: {{pretrained_path: o.npz}}}}}}}}}}"
    assert chosen(document("{type: knn}", more=ml)).candidate.target.name == "b"


def test_knn_with_a_file_of_other_models_takes_the_first(tmp_path: Path) -> None:
    """And says that it had nothing to choose by."""
    selection = chosen(knn(outcomes(tmp_path / "o.npz", models=("x", "y"))))
    assert (selection.candidate.target.name, selection.fallback) == ("a", True)


def test_knn_refuses_a_file_of_another_encoder(tmp_path: Path) -> None:
    """Vectors of two encoders mean nothing to each other: the remedy is to train anew."""
    told = refusal(knn(outcomes(tmp_path / "o.npz", encoder="older/1")))
    assert "older/1" in told
    assert "still/1" in told
    assert "train it anew" in told


def test_knn_refuses_what_is_no_file_of_outcomes(tmp_path: Path) -> None:
    """Nothing written, no file, text, another archive, and parts that do not fit."""
    text, archive = tmp_path / "text.npz", tmp_path / "other.npz"
    text.write_text("{}")
    np.savez(archive, weights=np.zeros(3))
    assert "select-train" in refusal(document("{type: knn}"))
    assert "cannot be read" in refusal(knn(tmp_path / "none.npz"))
    assert "was not written by" in refusal(knn(text))
    assert "was not written by" in refusal(knn(archive))
    assert "do not fit" in refusal(knn(outcomes(tmp_path / "o.npz", models=("a",))))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, format=np.array([{}], dtype=object))
    with pytest.raises(OutcomesError, match="was not written by"):
        Outcomes.load(pickled)
