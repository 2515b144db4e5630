"""Our own cases, put through the shipped model, and the page that tells of them."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pointsman.cli.main import pointsman
from pointsman.evaluation.case import Case, read_cases

ROOT = Path(__file__).parents[3]
CASES = ROOT / "examples" / "eval" / "cases.jsonl"
PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pointsman, ["eval", *arguments], catch_exceptions=False)


def example(name: str) -> str:
    """The block of the page below the remark with this name."""
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [each.case for each in read_cases(CASES.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """What ``eval`` says of our cases."""
    result = run("-c", str(CASES.with_name("config.yaml")), str(CASES), "--json")
    assert result.exit_code == 0, result.stderr
    whole: dict[str, Any] = json.loads(result.stdout)
    return whole


def test_our_cases_are_balanced(cases: list[Case]) -> None:
    """Every subject has sixteen cases or more, guards have forty with look-alikes, three in ten are Chinese."""
    decisions = Counter(str(case.expect.decision) for case in cases)
    tags = Counter(tag for case in cases for tag in case.tags)
    assert len(cases) >= 320
    assert len([name for name in decisions if name.endswith("_decision")]) == 14
    assert all(count >= 16 for name, count in decisions.items() if name.endswith("_decision"))
    assert tags["jailbreak"] + tags["pii"] + tags["benign"] >= 40
    assert all(tags[name] >= 5 for name in ("hard", "typo", "code", "short", "long"))
    assert 0.25 < sum(case.lang == "zh" for case in cases) / len(cases) < 0.35


def test_no_case_counts_twice(cases: list[Case]) -> None:
    """Each request is there once."""
    asked = Counter(case.request("MoM")[1] for case in cases)
    assert [body for body, count in asked.items() if count > 1] == []


def test_the_report_of_our_cases_adds_up(cases: list[Case], record: dict[str, Any]) -> None:
    """Every total follows from the outcomes of the cases, counted anew."""
    outcomes = record["cases"]
    assert len(outcomes) == len(cases) == record["accuracy"]["total"]
    assert record["accuracy"]["hits"] == sum(outcome["right"] for outcome in outcomes)
    pairs = Counter(
        (case.expect.decision or "(none)", outcome["decision"])
        for case, outcome in zip(cases, outcomes, strict=True)
    )
    names, counts = record["confusion"]["names"], record["confusion"]["counts"]
    assert pairs == Counter(
        {
            (expected, made): count
            for expected, row in zip(names, counts, strict=True)
            for made, count in zip(names, row, strict=True)
            if count
        }
    )
    for score in record["decisions"]:
        expected = sum(count for pair, count in pairs.items() if pair[0] == score["name"])
        made = sum(count for pair, count in pairs.items() if pair[1] == score["name"])
        assert (score["expected"], score["made"]) == (expected, made)
        assert score["recall"]["hits"] == pairs[score["name"], score["name"]]
    for tag, rate in record["tags"].items():
        tagged = [outcome for case, outcome in zip(cases, outcomes, strict=True) if tag in case.tags]
        assert (rate["hits"], rate["total"]) == (sum(each["right"] for each in tagged), len(tagged))


def test_the_shipped_model_decides_most_of_them_right(record: dict[str, Any]) -> None:
    """Far below what is measured: a broken model or document falls through, a slightly worse one does not."""
    assert record["accuracy"]["share"] > 0.7
    assert record["signal_failures"] == {}


def test_the_pages_example_does_what_the_page_says(tmp_path: Path) -> None:
    """The broken line is refused as shown; without it every case is decided as expected."""
    (tmp_path / "config.yaml").write_text(example("config.yaml"))
    (tmp_path / "cases.jsonl").write_text(example("cases.jsonl"))
    config, path = str(tmp_path / "config.yaml"), str(tmp_path / "cases.jsonl")
    refused = run("-c", config, path)
    assert refused.exit_code == 2
    assert refused.stderr.replace(f"{tmp_path}/", "") == example("refused")
    lines = example("cases.jsonl").splitlines()[:-1]
    (tmp_path / "cases.jsonl").write_text("\n".join(lines))
    fine = run("-c", config, path, "--threshold", "1")
    assert fine.exit_code == 0, fine.stdout
    assert "4 of 4 cases" in fine.stdout


def test_the_page_names_every_key_of_a_case() -> None:
    """The table of keys is that of the code."""
    for key in Case.__struct_fields__:
        assert f"`{key}`" in PAGE or f"`{key}." in PAGE


def test_the_measured_block_is_where_the_command_writes_it() -> None:
    """The markers are there once each, with figures between them."""
    begin, end = "<!-- make eval: begin -->", "<!-- make eval: end -->"
    assert PAGE.count(begin) == PAGE.count(end) == 1
    assert "cases as expected" in PAGE.partition(begin)[2].partition(end)[0]
