"""What a document asks for in vain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.config import Settings, examine, load_file, parse
from pointsman.config.base import Part
from pointsman.config.implemented import GAPS
from pointsman.config.shape import keys, parts_in
from pointsman.core.problem import Severity

EXAMPLE = Path(__file__).parents[3] / "examples" / "mom.yaml"
WORKING = Path(__file__).parent / "documents" / "working_keys.txt"
"""Every key that has an effect, or that only describes; one a line."""


def _paths(part: type[Part], path: str, seen: tuple[type[Part], ...]) -> Iterator[str]:
    for key, info in keys(part).items():
        here = f"{path}.{key}".lstrip(".")
        below = [inner for inner in parts_in(info.annotation) if inner not in seen]
        here += "[]" if below and "tuple" in str(info.annotation) else ""
        if not below:
            yield here
        for inner in below:
            tag = _type_of(inner) if key == "plugins" else ""
            yield from _paths(inner, here.removesuffix("[]") + f"[{tag}]" if tag else here, (*seen, inner))


def _type_of(part: type[Part]) -> str:
    return str(part.model_fields["type"].annotation).split("'")[1]


def test_every_key_either_works_or_is_listed_as_a_gap() -> None:
    """A new key fails this test until it is listed as working or as a gap: nothing is silently ignored."""
    paths = {path for path in _paths(Settings, "", (Settings,)) if not path.startswith("recipes")}
    unlisted = {path for path in paths if not _in_gap(path)}
    assert unlisted == set(WORKING.read_text().split())


def _in_gap(path: str) -> bool:
    """Whether any gap covers the path outright; gaps for some values only leave the key working."""
    covering = [
        gap for gap in GAPS if path == gap.pattern or path.startswith((gap.pattern + ".", gap.pattern + "["))
    ]
    return bool(covering)


def test_every_gap_is_a_key_of_the_schema() -> None:
    """The table has no line for a key that does not exist."""
    paths = [*_paths(Settings, "", (Settings,))]
    stale = [
        gap.pattern
        for gap in GAPS
        if not any(path.startswith(gap.pattern) or path == gap.pattern for path in paths)
    ]
    assert not stale


def test_the_example_asks_for_nothing_in_vain() -> None:
    """Every key of the shipped example has an effect."""
    assert not examine(load_file(EXAMPLE, {}))


def test_the_tutorials_document_is_told_what_has_no_effect(documents: Path) -> None:
    """The tutorial's values start; what does nothing yet is listed once each, switched-off parts are not."""
    found = examine(load_file(documents / "tutorial.yaml", {}))
    assert {problem.severity for problem in found} == {Severity.UNIMPLEMENTED}
    assert [problem.path for problem in found] == [
        "global.services.api.batch_classification.concurrency_threshold",
        "global.services.api.batch_classification.metrics",
        "global.services.response_api",
        "global.stores.response_cache.embedding_model",
    ]


@pytest.mark.parametrize(
    "fragment",
    [
        {"plugins": [{"type": "hallucination"}]},
    ],
)
def test_guards_that_do_not_run_are_refused(change: Any, fragment: dict[str, Any]) -> None:
    """A guard that would silently not guard keeps the document from starting."""
    import yaml  # noqa: PLC0415 only this test edits a parsed document

    document = yaml.safe_load(change("entrypoints", []))
    document["routing"]["decisions"][0] |= fragment
    found = examine(parse(yaml.safe_dump(document), {}))
    assert [problem.path for problem in found if problem.severity is Severity.REFUSED]


@pytest.mark.parametrize(
    "text",
    [
        "global: {services: {ratelimit: {providers: [{type: envoy-ratelimit}]}}}",
        "global: {services: {management_api: {auth: {mode: bearer}}}}",
        "global: {model_catalog: {modules: {hallucination_mitigation: {enabled: true}}}}",
    ],
)
def test_limits_and_identity_that_do_not_run_are_refused(text: str) -> None:
    """Rate limits, management tokens and answer checks are promises too."""
    [problem] = examine(parse(f"version: v0.3\n{text}", {}))
    assert problem.severity is Severity.REFUSED


def test_limits_of_a_service_may_fail_open() -> None:
    """Limits that another service would count are only listed where the document lets them fail open."""
    limits = "{fail_open: true, providers: [{type: envoy-ratelimit}, {type: local-limiter}]}"
    [problem] = examine(parse(f"version: v0.3\nglobal: {{services: {{ratelimit: {limits}}}}}", {}))
    assert problem.severity is Severity.UNIMPLEMENTED
    assert problem.path == "global.services.ratelimit.providers[0].type"


def test_knowledge_bases_that_others_ship_are_listed() -> None:
    """A rule on data that does not come with the package is told so, unless the document declares it."""
    rule = "{name: k, kb: mmlu_kb, target: {kind: label, value: math}}"
    page = f"version: v0.3\nrouting: {{signals: {{kb: [{rule}]}}}}\n"
    [problem] = examine(parse(page, {}))
    assert (problem.severity, problem.path) == (Severity.UNIMPLEMENTED, "routing.signals.kb[0].kb")
    declared = "global: {model_catalog: {kbs: [{name: mmlu_kb, source: {path: kb}}]}}"
    assert not examine(parse(page + declared, {}))


def test_the_users_own_classifiers_run_on_the_processor() -> None:
    """Local and prompted ones work; a graphics card is not used."""
    one = "{name: a, type: llm, model: judge, instructions: Pick one.}"
    two = "{name: b, type: local, model_path: b, use_cpu: false}"
    found = examine(parse(f"version: v0.3\nrouting: {{signals: {{classifiers: [{one}, {two}]}}}}", {}))
    assert [problem.path.removeprefix("routing.signals.classifiers") for problem in found] == [
        "[1].use_cpu",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "routing: {decisions: [{name: d, algorithm: {type: static}}]}",
        "routing: {signals: {keywords: [{name: k, keywords: [a], method: regex, fuzzy_match: false}]}}",
        "global: {services: {observability: {tracing: {enabled: false, provider: opentelemetry}}}}",
        "global: {services: {management_api: {auth: {mode: disabled}, remote_exposure: false}}}",
        "global: {stores: {}, integrations: {}}",
        "recipes: []\nentrypoints: []",
        "routing: {signals: {classifiers: [{name: c, type: local, model_path: c, use_cpu: true}]}}",
        "routing: {decisions: [{name: d, plugins: [{type: rag, configuration: {enabled: false, backend: mcp}}]}]}",
    ],
)
def test_what_asks_for_nothing_is_not_listed(text: str) -> None:
    """Values that mean what happens anyway, and parts switched off, are in order."""
    assert not examine(parse(f"version: v0.3\n{text}", {}))
