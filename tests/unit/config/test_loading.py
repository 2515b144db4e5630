"""Whole documents: what loads, and what is said of what does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointsman.config import Settings, load_file, locate, parse
from pointsman.core.decision import Strategy
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity

EXAMPLE = Path(__file__).parents[3] / "examples" / "mom.yaml"


def test_the_tutorials_values_load_unchanged(documents: Path) -> None:
    """Helm values with the document under config load, and the chart's own keys beside it are ignored."""
    settings = load_file(documents / "tutorial.yaml", {})
    assert [decision.priority for decision in settings.routing.decisions] == [10] * 13 + [20, 1]
    assert settings.providers.defaults.default_model == "general-expert"
    assert settings.routing.decisions[2].plugins[0].type == "response_cache"


def test_the_example_loads() -> None:
    """The shipped example routes fourteen domains to six experts on two local engines."""
    settings = load_file(EXAMPLE, {})
    assert len(settings.routing.signals.domains) == 14
    assert {ref.lora_name for decision in settings.routing.decisions for ref in decision.model_refs} == {
        lora.name for lora in settings.routing.model_cards[0].loras
    }
    assert [ref.address for ref in settings.providers.models[0].backend_refs] == [
        ("127.0.0.1", 8000),
        ("127.0.0.1", 8001),
    ]
    reasoning = {d.name for d in settings.routing.decisions if d.model_refs[0].use_reasoning}
    assert reasoning == {"thinking_decision", "math_decision", "physics_decision", "chemistry_decision"}


def test_a_document_with_every_group_of_keys_loads(documents: Path) -> None:
    """Every group of the schema is understood, with the spellings the semantic router has."""
    settings = load_file(documents / "full.yaml", {})
    assert settings.listeners[0].timeout == 300.0
    assert settings.routing.signals.context[0].min_tokens == 32_000
    assert settings.global_.stores.response_cache.similarity_threshold == 0.86
    assert settings.routing.signals.language[0].name == "no"
    milvus = settings.global_.stores.response_cache.milvus
    assert milvus
    assert milvus.collection
    assert milvus.collection.index
    assert milvus.collection.index.params
    assert milvus.collection.index.params.ef_construction == 200


@pytest.mark.parametrize("name", ["tutorial.yaml", "full.yaml"])
@pytest.mark.parametrize("by_alias", [True, False])
def test_settings_survive_dumping(documents: Path, name: str, *, by_alias: bool) -> None:
    """Settings dumped and validated again are equal, by key and by attribute name."""
    settings = load_file(documents / name, {})
    assert Settings.model_validate(settings.model_dump(by_alias=by_alias)) == settings


def test_the_smallest_document_is_complete_with_defaults() -> None:
    """A version alone is a document; every limit has a safe default."""
    settings = parse("version: v0.3", {})
    assert settings.global_.router.virtual_names == ("vllm-sr/auto", "auto", "MoM")
    assert settings.gateway.on_router_failure == "closed"
    assert settings.strategy() is Strategy.PRIORITY


def test_keys_set_to_null_mean_the_default(change: Callable[[str, Any], str]) -> None:
    """A key without value, as left behind by commented-out lines, is as good as absent."""
    assert parse(change("routing.projections", None), {}) == parse(change("entrypoints", None), {})


def test_the_routings_own_strategy_goes_before_the_global_one() -> None:
    """routing.strategy decides where it is set, global.router.strategy otherwise."""
    both = parse(
        "{version: v0.3, routing: {strategy: confidence}, global: {router: {strategy: priority}}}", {}
    )
    one = parse("{version: v0.3, global: {router: {strategy: confidence}}}", {})
    assert both.strategy() is one.strategy() is Strategy.CONFIDENCE


def test_auto_model_names_replace_the_built_in_ones() -> None:
    """auto_model_names is the whole list; empty turns virtual names off."""
    one = parse("{version: v0.3, global: {router: {auto_model_names: [smart]}}}", {})
    none = parse("{version: v0.3, global: {router: {auto_model_names: []}}}", {})
    assert (one.global_.router.virtual_names, none.global_.router.virtual_names) == (("smart",), ())


def test_settings_cannot_be_changed() -> None:
    """Settings are frozen, down to their lists."""
    settings = parse("version: v0.3", {})
    with pytest.raises(ValueError, match="frozen"):
        settings.version = "v0.4"  # type: ignore[assignment,misc]
    assert isinstance(settings.listeners, tuple)


@pytest.mark.parametrize("version", ["", "version: v0.4\n", "version: 0.3\n", "version: [v0.3]\n"])
def test_other_versions_are_refused(problems_of: Any, version: str) -> None:
    """A document must say version v0.3; the rest of it is checked all the same."""
    found = problems_of(version + "listeners: [{port: 0}]")
    assert "write version: v0.3" in found["version"].remedy
    assert "listeners[0].port" in found


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("categories: [{name: math, model_scores: []}]", "era A"),
        ("decisions: [{name: any}]\nkeyword_rules: []", "era B"),
        ("decisions: [{name: any}]\nembedding_models: {mmbert_model_path: m}", "era C"),
        ("config:\n  vllm_endpoints: []\n", "eras A to C"),
    ],
)
def test_flat_documents_are_read_for_what_they_are(text: str, era: str) -> None:
    """A document from before v0.3 loads, and the settings say in which era it was written."""
    assert parse(text, {}).era.startswith(era)


def test_a_flat_key_in_a_new_document_says_where_it_went(problems_of: Any) -> None:
    """A key of the flat eras beside v0.3 sections is an error with its new place."""
    found = problems_of("version: v0.3\nrouting: {}\nkeyword_rules: []")
    assert found["keyword_rules"].remedy == "move it to routing.signals.keywords"


def test_a_document_both_bare_and_under_config_is_refused(problems_of: Any) -> None:
    """Two documents in one file are an error rather than one of them being ignored."""
    found = problems_of("version: v0.3\nconfig: {version: v0.3}")
    assert "either bare, or all of it under config" in found["config"].remedy


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text", "3"])
def test_what_is_no_mapping_is_refused(problems_of: Any, text: str) -> None:
    """Empty files, lists and scalars are no documents."""
    [problem] = problems_of(text).values()
    assert problem.path == ""
    assert problem.remedy


def test_a_missing_file_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    """A path that cannot be read gives a ConfigError that names it."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_file(tmp_path / "absent.yaml")


def test_bytes_must_be_text(problems_of: Any) -> None:
    """Bytes that are no UTF-8 are refused; a byte order mark is not in the way."""
    assert "not UTF-8" in problems_of(b"version: \xff")[""].message
    assert not problems_of(b"\xef\xbb\xbfversion: v0.3")


def test_every_problem_is_reported_at_once(change: Callable[[str, Any], str], problems_of: Any) -> None:
    """Faults of form, of reference and of environment appear together, each once."""
    text = change("routing.decisions.1.modelRefs.0.lora_name", "expart")
    text += "gateway: {log_level: loud}\nfleet: {policy: '${POLICY}'}\n"
    assert set(problems_of(text)) == {
        "gateway.log_level",
        "fleet.policy",
        "routing.decisions[1].modelRefs[0].lora_name",
    }


def test_problems_name_their_lines(problems_of: Any) -> None:
    """Every message ends with the line to look at."""
    found = problems_of("version: v0.3\n\nlisteners:\n  - name: a\n    port: 70000\n")
    assert found["listeners[0].port"].message.endswith("(line 5)")


def test_every_part_of_a_document_has_its_line() -> None:
    """What is written has its line, what is not that of the part above it; also after migration."""
    located = locate("version: v0.3\n\nrouting:\n  decisions:\n    - name: d\n", {})
    problem = Problem(Severity.WARNING, "routing.decisions[0].rules", "is odd")
    assert located.place(problem).message == "is odd (line 5)"
    flat = "default_model: m\nvllm_endpoints:\n  - {name: e, address: 127.0.0.1, port: 1}\nmodel_config:\n  m: {preferred_endpoints: [e]}\n"
    problem = Problem(Severity.WARNING, "providers.defaults.default_model", "is odd")
    assert locate(flat, {}).place(problem).message == "is odd (line 1)"
