import io
import re
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from pointsman.cli.view.evaluation import evaluation_view
from pointsman.cli.view.evaluation_page import evaluation_page
from pointsman.cli.view.evaluation_record import evaluation_json
from pointsman.evaluation.compare import Comparison, compare
from pointsman.evaluation.cost import Price
from pointsman.evaluation.outcome import Outcome
from pointsman.evaluation.report import Report, summarise
from support.evaluated import decided, judged

EVIL = "<script>alert('x')</script>\x1b[31m"


def report(names: int = 3) -> Report:
    """Hits and misses, labels, failed signals, costs and durations."""
    cases = [decided(f"decision_{n}", f"decision_{n}", lang="en", tags=["short"]) for n in range(names)]
    outcome = Outcome(
        decision="decision_1",
        provider="small",
        failed={"d:a": "busy"},
        phases_us={"observe": 900.0, "total": 1500.0},
    )
    cases.append(
        judged({"decision": "decision_0", "signals": ["d:a"]}, outcome, text=EVIL, lang="zh", line=9)
    )
    return summarise(cases, prices={"small": Price("USD", 1, 2)}, completion_tokens=100)


def moved() -> Comparison:
    """One case mended."""
    return compare([decided("a", "b", text=EVIL)], [decided("a", "a", text=EVIL)])


def shown(value: object, *, encoding: str = "utf-8", width: int = 80) -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=out, width=width, force_terminal=False).print(value)
    out.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_view_fits_any_terminal(encoding: str) -> None:
    """80 columns, in whatever characters can be written, without control characters of a request."""
    text = shown(evaluation_view(report(), moved(), misses=True, threshold=0.9), encoding=encoding)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    for words in ("75.0%", "below the threshold 90.0%", "d:a could not be computed in 1 cases", "cost of 1"):
        assert words in text
    assert "decision decision_1, expected decision_0" in text
    assert "1 fixed, 0 broken, p = 1" in text


def test_a_table_too_wide_becomes_pairs() -> None:
    """Where not every decision has its column, what is mixed up is listed, most frequent first."""
    assert "expected, and what was made" in shown(evaluation_view(report(3)))
    wide = shown(evaluation_view(report(20)))
    assert "expected, and what was made" not in wide
    assert re.search(r"1  decision_0 . decision_1", wide)


def test_many_moves_are_cut_short() -> None:
    """Two documents with different models move everything: the rest is counted unless asked for."""
    many = [decided("a", "b", line=line) for line in range(1, 61)]
    comparison = compare(many, [decided("a", "c", line=line) for line in range(1, 61)])
    assert "20 more cases move: --misses shows them" in shown(evaluation_view(report(), comparison))
    assert "more cases move" not in shown(evaluation_view(report(), comparison, misses=True))


def test_misses_are_counted_where_they_are_not_shown() -> None:
    """The option that shows them is named."""
    assert "1 not as expected: --misses shows them" in shown(evaluation_view(report()))


def test_the_page_stands_alone_and_runs_nothing() -> None:
    """No script, nothing loaded from elsewhere, texts of requests escaped, both colour schemes."""
    page = evaluation_page(report(), "a<b.yaml", "cases.jsonl", moved(), "other.yaml")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert "&lt;script&gt;" in page
    assert "a&lt;b.yaml" in page
    assert "prefers-color-scheme:dark" in page


def test_the_plots_are_sound_and_readable_without_seeing() -> None:
    """Each is well-formed, says what it shows, and stays within its frame."""
    page = evaluation_page(report(20), "c", "d")
    plots = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(plots) == 5
    for plot in plots:
        root = ET.fromstring(plot)  # noqa: S314  # our own text
        assert root.get("aria-label")
        width, height = float(root.get("width", 0)), float(root.get("height", 0))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert 0 <= float(rect.get("x", -1)) <= width - float(rect.get("width", 0))
            assert -0.1 <= float(rect.get("y", -1)) <= height - float(rect.get("height", 0))


def test_the_page_of_a_bare_run_has_no_empty_parts() -> None:
    """Without decisions, labels, signals, prices and durations only the headline is left."""
    page = evaluation_page(summarise([judged({"reply": False})]), "c", "d")
    assert "<h2>" not in page
    assert "100.0%" in page


def test_the_record_holds_every_case() -> None:
    """Programs get each case by line, with what was made of it."""
    record = evaluation_json(report(), moved())
    assert record["accuracy"]["hits"] == 3
    assert [case["right"] for case in record["cases"]] == [True, True, True, False]
    assert record["cases"][3]["misses"] == ["decision decision_1, expected decision_0", "d:a failed: busy"]
    assert record["comparison"]["fixed"] == 1
    assert sum(map(sum, record["confusion"]["counts"])) == 4
