"""Each example of docs/signals.md does what the page says."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from pointsman.config import examine, parse
from pointsman.core.request import Head
from pointsman.core.verdict import Reply
from pointsman.pipeline import Pipeline
from pointsman.runtime import build

PAGE = Path(__file__).parents[3] / "docs" / "signals.md"
SECTIONS = ("keyword", "language", "context", "structure", "event", "conversation", "metadata", "authz")
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(
    r"```yaml\n(.*?)```\n\n\| request \| matches \|\n\|---\|---\|\n((?:\|[^\n]*\n)+)", re.DOTALL
)
_ROW = re.compile(r"^\| (?P<request>.+?) \| (?P<matches>.*?) \|$", re.MULTILINE)


def examples() -> list[Any]:
    """Section, rules and table of each example of the families tested here."""
    found = dict(_SECTION.findall(PAGE.read_text()))
    return [
        pytest.param(family, rules, rows, id=f"{family}-{index}")
        for family in SECTIONS
        for index, (rules, rest) in enumerate(_EXAMPLE.findall(found[family]))
        if (rows := _ROW.findall(rest))
    ]


def router(family: str, rules: str) -> tuple[Pipeline, list[str]]:
    """A router with one decision for each signal, so that all are computed."""
    document = yaml.safe_load(rules)
    document.setdefault("version", "v0.3")
    document["providers"] = {
        "defaults": {"default_model": "m"},
        "models": [{"name": "m", "backend_refs": [{"endpoint": "127.0.0.1:9"}]}],
    }
    routing = document["routing"]
    ((_, written),) = routing["signals"].items()
    names = list(dict.fromkeys(rule["role"] if family == "authz" else rule["name"] for rule in written))
    routing["decisions"] = [
        {"name": f"on {name}", "rules": {"type": family, "name": name}, "modelRefs": [{"model": "m"}]}
        for name in names
    ]
    settings = parse(yaml.safe_dump(document, allow_unicode=True), {})
    assert not examine(settings)
    runtime = build(settings, {})
    runtime.close()
    return runtime.pipeline, names


def asked(request: str) -> tuple[Head, bytes]:
    """A cell of the table as a request: an object in backquotes, or a prompt."""
    fields: dict[str, Any] = {}
    if request.startswith("`{"):
        fields = yaml.safe_load(request.strip("`"))
    prompt = fields.pop("prompt", request if not fields else "hello")
    headers = {"x-authz-user-id": "someone", **fields.pop("headers", {})}
    body = {
        "model": "MoM",
        "messages": [{"role": "user", "content": prompt * fields.pop("times", 1)}],
        **fields,
    }
    return Head("POST", "/v1/chat/completions", headers), msgspec.json.encode(body)


@pytest.mark.parametrize(("family", "rules", "rows"), examples())
def test_an_example_does_what_its_table_says(family: str, rules: str, rows: list[tuple[str, str]]) -> None:
    """The signals named beside a request are those that match; a status is that of the refusal."""
    pipeline, names = router(family, rules)
    assert rows
    for request, matches in rows:
        ruling = asyncio.run(pipeline.route(*asked(request)))
        if isinstance(ruling.verdict, Reply):
            assert str(ruling.verdict.status) == matches, request
            continue
        matched = [signal.key.name for signal in ruling.trace.signals if signal.matched]
        expected = [] if matches == "none" else matches.split(", ")
        assert sorted(matched) == sorted(expected), request
        assert set(expected) <= set(names)


def test_every_family_of_this_test_has_an_example() -> None:
    """No section is left without rules and a table."""
    assert {parameter.values[0] for parameter in examples()} == set(SECTIONS)
