import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pointsman.cli import evaluating
from pointsman.cli.main import main, pointsman
from pointsman.core.problem import Problem, Severity
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward
from pointsman.evaluation.case import read_cases

DOCUMENT = """
version: v0.3
providers:
  defaults: { default_model: small }
  models:
    - { name: small, backend_refs: [{ endpoint: "10.0.0.7:8000" }], pricing: { prompt_per_1m: 1 } }
    - { name: large, backend_refs: [{ endpoint: "10.0.0.9:8000" }] }
routing:
  modelCards: [{ name: small }, { name: large }]
  signals:
    keywords: [{ name: sums, operator: OR, keywords: [add] }, { name: bye, operator: OR, keywords: [bye] }]
  decisions:
    - { name: sums, priority: 5, rules: { type: keyword, name: sums }, modelRefs: [{ model: large }] }
    - name: farewell
      priority: 9
      rules: { type: keyword, name: bye }
      plugins: [{ type: fast_response, configuration: { message: Goodbye. } }]
"""
RIGHT = """
{"text": "add two numbers", "expect": {"decision": "sums", "model": "large", "signals": ["keyword:sums"]}, "lang": "en"}
{"text": "bye", "expect": {"decision": "farewell", "reply": true, "not_signals": ["keyword:sums"]}}
{"text": "hello", "expect": {"decision": null, "model": "small"}, "tags": ["short"]}
{"text": "hello", "model": "large", "expect": {"decision": null, "model": "large"}}
"""
WRONG = '{"text": "subtract", "expect": {"decision": "sums"}}\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "c.yaml").write_text(DOCUMENT)
    (tmp_path / "right.jsonl").write_text(RIGHT)
    (tmp_path / "mixed.jsonl").write_text(RIGHT + WRONG)
    return tmp_path


def run(files: Path, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(
        pointsman, ["eval", "-c", str(files / "c.yaml"), *arguments], input=stdin, catch_exceptions=False
    )


def test_cases_are_routed_and_counted(files: Path) -> None:
    """Decisions, models, replies and signals are those of the document, and nothing is sent."""
    result = run(files, str(files / "right.jsonl"), "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert (record["accuracy"]["hits"], record["accuracy"]["total"]) == (4, 4)
    assert [case["line"] for case in record["cases"]] == [2, 3, 4, 5]
    assert [case["status"] for case in record["cases"]] == [0, 200, 0, 0]
    assert [cost["requests"] for cost in record["costs"]] == [1]


def test_what_the_exit_status_says(files: Path) -> None:
    """0 without a threshold or at it, 1 below it, 2 for bad input."""
    mixed = str(files / "mixed.jsonl")
    assert run(files, mixed).exit_code == 0
    assert run(files, mixed, "--threshold", "0.8").exit_code == 0
    assert run(files, mixed, "--threshold", "0.81").exit_code == 1
    assert run(files, "-", stdin="{").exit_code == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "-:2: no JSON"),
        ('{"text": "a", "expect": {"decision": "sum"}}', "-:2: decision 'sum'"),
        ('{"text": "a", "expect": {"signals": ["domain:math"]}}', "no decision refers to it"),
    ],
)
def test_bad_cases_are_named_by_line(files: Path, line: str, said: str) -> None:
    """Nothing is routed, and standard error says which line is wrong and why."""
    result = run(files, "-", stdin=f"{WRONG}{line}\n")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_bad_document_or_file_is_bad_input(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Status 2 too, so that CI never takes it for a low accuracy; there is no traceback."""
    (files / "bad.yaml").write_text("version: v0.3\nroutin: {}\n")
    right = str(files / "right.jsonl")
    for arguments in (
        ["-c", str(files / "bad.yaml"), right],
        ["-c", str(files / "none.yaml"), right],
        ["-c", str(files / "c.yaml"), str(files / "none.jsonl")],
        ["-c", str(files / "c.yaml"), right, "--html", str(files)],
        ["-c", str(files / "c.yaml"), right, "--compare", str(files / "none.yaml")],
        ["-c", str(files / "c.yaml"), right, "--threshold", "90"],
    ):
        with pytest.raises(SystemExit) as ended:
            raise SystemExit(main(["eval", *arguments]))
        assert ended.value.code == 2, arguments
        assert "Traceback" not in capfd.readouterr().err
    (files / "latin.jsonl").write_bytes(b'{"text": "\xe9"}')
    assert "not UTF-8" in run(files, str(files / "latin.jsonl")).stderr


def test_a_guard_that_does_not_run_is_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serving would refuse such a document; its accuracy is shown with that said on standard error."""
    problem = Problem(Severity.REFUSED, "routing.x", "is a guard that does not run")
    monkeypatch.setattr("pointsman.cli.eval.examine", lambda _: (problem,))
    result = run(files, str(files / "right.jsonl"))
    assert result.exit_code == 0
    assert "would not be served as it is: refused: routing.x" in result.stderr


def test_misses_are_shown_when_asked_for(files: Path) -> None:
    """With the line, what was made of it and the request."""
    shown = run(files, str(files / "mixed.jsonl"), "--misses").stdout
    assert "decision (none), expected sums" in shown
    assert "subtract" in shown


def test_a_page_is_written(files: Path) -> None:
    """--html writes it beside what the terminal shows."""
    page = files / "out.html"
    assert f"written: {page}" in run(files, str(files / "mixed.jsonl"), "--html", str(page)).stdout
    assert page.read_text().startswith("<!doctype html>")


def test_two_documents_are_compared(files: Path) -> None:
    """The cases that move are listed, and a decision of either document may be expected."""
    other = files / "other.yaml"
    other.write_text(DOCUMENT.replace("keywords: [add]", "keywords: [subtract]"))
    result = run(files, str(files / "mixed.jsonl"), "--compare", str(other))
    assert "1 fixed, 1 broken, p = 1" in result.stdout
    assert "sums large" in result.stdout
    assert result.exit_code == 0


def test_rate_limits_do_not_get_in_the_way(files: Path) -> None:
    """Nothing is sent, so nothing is counted: a limit of one request an hour refuses no case."""
    limited = files / "c.yaml"
    rule = "{ name: few, match: { model: large }, requests_per_unit: 1, unit: hour }"
    limited.write_text(
        f"{DOCUMENT}\nglobal: {{ services: {{ ratelimit: {{ providers: "
        f"[{{ type: local-limiter, rules: [{rule}] }}] }} }} }}\n"
    )
    case = '{"text": "add", "expect": {"model": "large"}}\n'
    assert json.loads(run(files, "-", "--json", stdin=case * 3).stdout)["accuracy"]["hits"] == 3


class _Slow:
    """Counts how many requests are under way; one of them never ends."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def route(self, head: Any, body: bytes) -> Ruling:
        del head
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(3600 if b"stuck" in body else 0)
        self.now -= 1
        return Ruling(Forward("p"), Trace())


def test_only_so_many_cases_are_under_way() -> None:
    """The bound is kept, order too, and a request without an answer becomes a miss at the deadline."""
    slow = _Slow()
    texts = ["a", "b", "stuck", *"defgh"]
    cases = read_cases("\n".join(f'{{"text": "{text}", "expect": {{"decision": null}}}}' for text in texts))
    advanced: list[None] = []
    judged = asyncio.run(
        evaluating.route_all(
            slow, cases, "MoM", concurrency=3, deadline_s=0.05, advance=lambda: advanced.append(None)
        )
    )
    assert slow.most == 3
    assert len(advanced) == len(texts)
    assert [each.case.text for each in judged] == texts
    assert [each.case.text for each in judged if each.misses] == ["stuck"]
    assert "no decision within 50 ms" in judged[2].misses[-1]


def test_help_teaches_what_a_case_is(files: Path) -> None:
    """Keys, examples and exit statuses are there, within 80 columns."""
    shown = run(files, "--help").stdout
    for word in ("not_signals", "--threshold 0.9", "Exit status", '{"text"'):
        assert word in shown
    assert max(map(len, shown.splitlines())) <= 80
