"""Flat documents become v0.3: what each era's settings turn into, and that no key is lost on the way."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import examine, load_file, parse
from pointsman.config.migration import Migration, is_flat, migrate, rewrite
from pointsman.config.plain import to_written
from pointsman.config.tree import read
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Severity

ERAS = ("a", "b", "c")


def flat(documents: Path, era: str) -> dict[str, Any]:
    """The example of an era, bare."""
    data: dict[str, Any] = yaml.safe_load((documents / f"era_{era}.yaml").read_text())
    return dict(data.get("config", data))


def decisions(migration: Migration) -> dict[str, dict[str, Any]]:
    """The decisions of the new document by name."""
    return {decision["name"]: decision for decision in migration.document["routing"]["decisions"]}


def model(**more: Any) -> dict[str, Any]:
    """A flat document with one model on one endpoint, and more."""
    return {
        "model_config": {"m": {}},
        "vllm_endpoints": [{"name": "e", "address": "10.0.0.1", "port": 8000}],
        "default_model": "m",
        **more,
    }


def domain(name: str, **more: Any) -> dict[str, Any]:
    """A decision of era B on one domain."""
    rules = {"operator": "OR", "conditions": [{"type": "domain", "name": name}]}
    return {"name": name, "priority": 10, "rules": rules, "modelRefs": [{"model": "m"}], **more}


def pii(*allowed: str, **more: Any) -> dict[str, Any]:
    """A pii plugin of era B."""
    return {
        "type": "pii",
        "configuration": {"enabled": True, "pii_types_allowed": list(allowed), **more},
    }


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value that is no mapping or list."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path


@pytest.mark.parametrize("era", ERAS)
def test_each_era_loads_as_it_is(documents: Path, era: str) -> None:
    """A flat file needs no preparation: load migrates it and remembers in which era it was written."""
    settings = load_file(documents / f"era_{era}.yaml", {})
    assert settings.era.startswith(f"era {era.upper()}")
    assert settings.version == "v0.3"
    assert settings.routing.decisions
    assert [problem for problem in examine(settings) if problem.severity is Severity.ERROR] == []


@pytest.mark.parametrize("era", ERAS)
def test_every_key_is_accounted_for(documents: Path, era: str) -> None:
    """Each value of the old document lies at or below a key whose fate is told."""
    old = flat(documents, era)
    told = [change.path_old for change in migrate(old).changes]
    untold = [
        leaf
        for leaf in leaves(old)
        if not any(leaf == path or leaf.startswith((f"{path}.", f"{path}[")) for path in told)
    ]
    assert not untold


@pytest.mark.parametrize("era", ERAS)
def test_every_new_place_exists(documents: Path, era: str) -> None:
    """Where an account says a key went, the new document has something."""
    migration = migrate(flat(documents, era))
    there = set(leaves(migration.document))
    for change in migration.changes:
        where = change.path_new.partition("[]")[0]
        assert not where or any(leaf.startswith(where) for leaf in there), change


@pytest.mark.parametrize("era", ERAS)
def test_the_old_document_is_not_touched(documents: Path, era: str) -> None:
    """Migration is a pure function: the mapping it is given stays as it was."""
    old = flat(documents, era)
    before = copy.deepcopy(old)
    assert migrate(old).document == migrate(old).document
    assert old == before


@pytest.mark.parametrize("era", ERAS)
def test_the_written_file_reads_back_the_same(documents: Path, era: str) -> None:
    """The rewritten text means the migrated document, variables still unfilled, and is no flat one."""
    text, migration = rewrite((documents / f"era_{era}.yaml").read_text(), "old.yaml")
    root, problems = read(text)
    assert root
    assert not problems
    data = to_written(root).data
    assert data.get("config", data) == migration.document
    assert not is_flat(data.get("config", data))
    assert text.startswith("# Migrated to v0.3 from old.yaml")
    assert parse(text, {}).model_dump() == load_file(documents / f"era_{era}.yaml", {}).model_dump()


def test_helm_values_stay_helm_values(documents: Path) -> None:
    """The document stays under config, and the chart's own keys beside it are kept."""
    text, _ = rewrite((documents / "era_a.yaml").read_text(), "values.yaml")
    assert yaml.safe_load(text).keys() == {"replicaCount", "config"}


def test_a_category_becomes_domain_and_decision(documents: Path) -> None:
    """Era A: best score first, prompt with its mode, reasoning and adapter of each candidate."""
    migration = migrate(flat(documents, "a"))
    math = decisions(migration)["math_decision"]
    assert [ref["lora_name"] for ref in math["modelRefs"]] == ["math-expert", "general-expert"]
    assert math["modelRefs"][0]["reasoning_effort"] == "high"
    assert math["plugins"] == [
        {
            "type": "system_prompt",
            "configuration": {"system_prompt": "You know mathematics well.", "mode": "insert"},
        }
    ]
    assert migration.document["routing"]["signals"]["domains"][0]["mmlu_categories"] == ["math"]


def test_caches_stay_shared_and_prompts_replace(documents: Path) -> None:
    """What was the default is written out where v0.3 has another: scope global, mode replace."""
    other = decisions(migrate(flat(documents, "a")))["other_decision"]
    assert other["plugins"][0]["configuration"]["mode"] == "replace"
    assert other["plugins"][1] == {
        "type": "response_cache",
        "configuration": {"enabled": True, "scope": "global"},
    }


def test_keywords_outrank_domains_as_they_did(documents: Path) -> None:
    """Era A asked keywords first: their decisions rank above those by subject, the first rule highest."""
    old = flat(documents, "a")
    old["keyword_rules"].append({"category": "math", "operator": "OR", "keywords": ["sum"]})
    found = decisions(migrate(old))
    ranks = [
        found[name]["priority"]
        for name in ("thinking_keywords_decision", "math_keywords_decision", "math_decision")
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 3


def test_a_prompt_guard_for_all_is_one_decision_on_top() -> None:
    """prompt_guard alone becomes a signal over the whole conversation and a canned answer above every route."""
    old = model(
        prompt_guard={"enabled": True, "threshold": 0.65},
        categories=[{"name": "math", "model_scores": [{"model": "m", "score": 1.0}]}],
    )
    migration = migrate(old)
    [signal] = migration.document["routing"]["signals"]["jailbreak"]
    assert (signal["threshold"], signal["include_history"]) == (0.65, True)
    guard = decisions(migration)["jailbreak_guard"]
    assert guard["rules"] == {"type": "jailbreak", "name": signal["name"]}
    assert guard["plugins"][0]["type"] == "fast_response"
    assert guard["priority"] > max(
        d["priority"] for n, d in decisions(migration).items() if n != guard["name"]
    )


def test_a_category_without_the_guard_stays_without_it() -> None:
    """jailbreak_enabled: false exempts what only that category matches, and nothing else."""
    scores = [{"model": "m", "score": 1.0}]
    old = model(
        prompt_guard={"enabled": True},
        categories=[
            {"name": "math", "model_scores": scores, "jailbreak_enabled": False},
            {"name": "law", "model_scores": scores},
        ],
    )
    rules = decisions(migrate(old))["jailbreak_guard"]["rules"]
    assert rules["operator"] == "AND"
    assert rules["conditions"][1] == {
        "operator": "OR",
        "conditions": [
            {"type": "domain", "name": "law"},
            {"operator": "NOT", "conditions": [{"type": "domain", "name": "math"}]},
        ],
    }


def test_a_guard_that_was_off_stays_off_and_is_told() -> None:
    """With prompt_guard off nothing blocked, whatever plugins said; the account says so."""
    plugin = {"type": "jailbreak", "configuration": {"enabled": True}}
    migration = migrate(
        model(
            prompt_guard={"enabled": False},
            categories=[{"name": "math"}],
            decisions=[domain("math", plugins=[plugin])],
        )
    )
    assert decisions(migration).keys() == {"math"}
    [told] = [c for c in migration.changes if c.path_old == "decisions[0].plugins[0]"]
    assert (told.path_new, told.note) == ("", "no guard here: it was off, or everything was allowed")


def test_pii_plugins_become_guards_by_what_they_allow() -> None:
    """Era B: a signal for each list of allowed types, and a guard where the decisions with it match."""
    migration = migrate(
        model(
            classifier={"pii_model": {"threshold": 0.8}},
            categories=[{"name": "math"}, {"name": "law"}, {"name": "other"}],
            decisions=[
                domain("math", plugins=[pii()]),
                domain("law", plugins=[pii("PERSON", threshold=0.6)]),
                domain("other"),
            ],
        )
    )
    signals = {s["name"]: s for s in migration.document["routing"]["signals"]["pii"]}
    found = decisions(migration)
    assert found["math"]["plugins"] == []
    first, second = (found[name]["rules"]["conditions"] for name in ("pii_guard", "pii_guard_2"))
    assert "pii_types_allowed" not in signals[first[0]["name"]]
    assert signals[first[0]["name"]]["threshold"] == 0.8
    assert signals[second[0]["name"]]["pii_types_allowed"] == ["PERSON"]
    assert signals[second[0]["name"]]["threshold"] == 0.6
    assert (first[1], second[1]) == ({"type": "domain", "name": "math"}, {"type": "domain", "name": "law"})


def test_the_same_policy_everywhere_is_one_rule(documents: Path) -> None:
    """A model's policy that holds for every route and the default model guards without conditions."""
    old = flat(documents, "a")
    for key in ("pii_enabled", "pii_threshold", "jailbreak_enabled", "jailbreak_threshold"):
        del old["categories"][0][key]
    found = decisions(migrate(old))
    assert [found[name]["rules"]["type"] for name in ("pii_guard", "jailbreak_guard")] == ["pii", "jailbreak"]
    assert "pii_guard_2" not in found


def test_a_model_without_a_policy_allowed_nothing() -> None:
    """Era A looked for personal data once pii_model was set, and models without a policy denied all of it."""
    scores = [{"model": "m", "score": 1.0}]
    old = model(categories=[{"name": "math", "model_scores": scores}])
    assert "pii_guard" not in decisions(migrate(old))
    old["classifier"] = {"pii_model": {"threshold": 0.7}}
    assert "pii_guard" in decisions(migrate(old))
    old["model_config"]["m"] = {"pii_policy": {"allow_by_default": True}}
    assert "pii_guard" not in decisions(migrate(old))


def test_personal_data_goes_to_a_model_that_may_see_it() -> None:
    """Era A asked further models of the category before it blocked: a decision above the route does."""
    old = model(
        classifier={"pii_model": {"threshold": 0.7}},
        categories=[
            {"name": "math", "model_scores": [{"model": "m", "score": 1.0}, {"model": "safe", "score": 0.5}]}
        ],
    )
    old["model_config"]["safe"] = {"pii_policy": {"allow_by_default": True}}
    found = decisions(migrate(old))
    assert found["math_decision_pii"]["modelRefs"] == [{"model": "safe"}]
    assert found["math_decision_pii"]["priority"] > found["math_decision"]["priority"]
    assert found["math_decision_pii"]["rules"] == {
        "operator": "AND",
        "conditions": [{"type": "domain", "name": "math"}, {"type": "pii", "name": "pii"}],
    }
    assert found["pii_guard"]["rules"]["conditions"][1] == {
        "operator": "NOT",
        "conditions": [{"type": "domain", "name": "math"}],
    }


def test_guards_come_first_whatever_ranks() -> None:
    """With strategy confidence priorities decide only ties, so the guards have a tier of their own."""
    migration = migrate(
        model(
            strategy="confidence",
            prompt_guard={"enabled": True},
            categories=[{"name": "math"}],
            decisions=[domain("math")],
        )
    )
    found = decisions(migration)
    assert (found["jailbreak_guard"]["tier"], found["math"]["tier"]) == (1, 2)


def test_jailbreak_signals_need_no_further_guard(documents: Path) -> None:
    """Era C: where the document has jailbreak rules, prompt_guard only sets up the classifier, and that is told."""
    migration = migrate(flat(documents, "c"))
    assert decisions(migration).keys() == {"block", "hard"}
    assert any(
        "jailbreak rules decide" in c.note for c in migration.changes if c.path_old == "prompt_guard.enabled"
    )


def test_endpoints_become_backends(documents: Path) -> None:
    """Addresses, weights, keys and profiles end up at the models that name them."""
    small = migrate(flat(documents, "b")).document["providers"]["models"][0]["backend_refs"]
    assert [ref["endpoint"] for ref in small] == ["10.0.0.1:8000", "[fd00::2]:8000"]
    assert small[0]["api_key"] == "${SMALL_KEY:-unset-key}"
    migration = migrate(flat(documents, "c"))
    [cloud] = migration.document["providers"]["models"][1]["backend_refs"]
    assert (cloud["base_url"], cloud["provider"]) == ("https://api.example.com/v1", "openai")
    assert any(c.path_old == "vllm_endpoints[2]" and not c.path_new for c in migration.changes)


def test_a_model_without_an_endpoint_can_be_given_one() -> None:
    """Documents that left addresses to a gateway get one from the migration, and say so without."""
    old = {"model_config": {"m": {}}, "default_model": "m"}
    with pytest.raises(ConfigError, match="no backend_refs"):
        parse(yaml.safe_dump(old), {})
    [provider] = migrate(old, endpoint="vllm:8000").document["providers"]["models"]
    assert provider["backend_refs"] == [{"endpoint": "vllm:8000"}]


def test_names_that_collide_get_numbers() -> None:
    """Guards and their signals take names that nothing else has."""
    migration = migrate(
        model(
            prompt_guard={"enabled": True},
            categories=[{"name": "math"}],
            pii=[{"name": "jailbreak"}],
            decisions=[{**domain("math"), "name": "jailbreak_guard"}],
        )
    )
    assert decisions(migration).keys() == {"jailbreak_guard", "jailbreak_guard_2"}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"categoriez": []}, "categoriez", "did you mean categories?"),
        (
            {"categories": [{"name": "math", "system_promt": "x"}]},
            "categories[0].system_promt",
            "system_prompt",
        ),
        ({"model_config": {"m": {"pii_polcy": {}}}}, "model_config.m.pii_polcy", "did you mean pii_policy?"),
        ({"semantic_cache": {"max_entris": 3}}, "semantic_cache.max_entris", "did you mean max_entries?"),
        (
            {"decisions": [domain("law", plugins=[{"type": "pii", "configuration": {"allow": []}}])]},
            "decisions[0].plugins[0].configuration.allow",
            "use one of",
        ),
        ({"decisions": [domain("math", priority=[1])]}, "decisions[0].priority", "a whole number"),
        ({"categories": "math"}, "categories", "a list"),
    ],
)
def test_unknown_keys_name_the_nearest(
    problems_of: Any, change: dict[str, Any], path: str, words: str
) -> None:
    """Unknown keys and wrong shapes are errors at the keys their author wrote, with what was meant."""
    found = problems_of(yaml.safe_dump(model(**change)))
    assert words in str(found[path])


def test_errors_of_the_new_document_name_the_old_key(problems_of: Any) -> None:
    """What only v0.3 finds wrong is reported where it was written, with its line and what it is called today."""
    text = yaml.safe_dump(model()) + "tools:\n  top_k: 3\n  similarity_threshold: warm\n"
    [problem] = problems_of(text).values()
    assert problem.path == "tools.similarity_threshold"
    assert "in v0.3 this is global.integrations.tools.similarity_threshold" in problem.message
    assert "(line" in problem.message


@pytest.mark.parametrize(
    "data",
    [
        {"version": "v0.3", "decisions": []},
        {"routing": {}, "categories": []},
        {"providers": {}, "model_config": {}},
        {"listeners": []},
        {},
    ],
)
def test_what_is_no_flat_document_is_left_alone(data: dict[str, Any]) -> None:
    """A v0.3 section or version, or no key of the flat eras, makes a document a current one."""
    assert not is_flat(data)
