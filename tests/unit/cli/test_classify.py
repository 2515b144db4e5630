import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from pointsman.cli.classify import _read
from pointsman.cli.main import main, pointsman
from pointsman.cli.view.classify import Report, classify_json, classify_view
from pointsman.encoder import Encoder

from .scanned import JAILBREAK, FakeEncoder

TEXT = f"{JAILBREAK}, says Ann, and charge 4111 1111 1111 1111"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(pointsman, ["classify", *arguments], input=stdin, catch_exceptions=False)


def report(text: str) -> Report:
    """What the fake makes of a text."""
    return asyncio.run(_read(FakeEncoder(), text))  # type: ignore[arg-type]  # stands in for the encoder


def screen(text: str, *, width: int = 80, encoding: str = "utf-8") -> str:
    """The view as a terminal of this width and encoding shows it."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=out, width=width, force_terminal=False, legacy_windows=False).print(
        classify_view(report(text))
    )
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode(encoding)


@pytest.fixture
def lines() -> list[str]:
    return screen(TEXT).splitlines()


def line_with(lines: list[str], word: str) -> str:
    return next(line for line in lines if word in line)


def test_everything_about_a_text_is_on_one_screen(lines: list[str]) -> None:
    """Domains, complexity, risk, each piece of personal data with its evidence, and what made the embedding."""
    assert "law" in line_with(lines, "domain")
    assert "easy" in line_with(lines, "complexity")
    assert "0.90" in line_with(lines, "jailbreak")
    assert "model" in line_with(lines, "PERSON ")
    assert "luhn" in line_with(lines, "CREDIT_CARD ")
    assert "fake/fp32" in line_with(lines, "embedding")


def test_personal_data_is_masked_on_the_screen(lines: list[str]) -> None:
    """What was found stands nowhere, its placeholder stands in the text."""
    shown = "\n".join(lines)
    assert "4111" not in shown
    assert "Ann" not in shown
    assert "[PERSON_0]" in shown


@pytest.mark.parametrize(("width", "encoding"), [(80, "utf-8"), (60, "utf-8"), (80, "ascii")])
def test_the_screen_fits_any_terminal(width: int, encoding: str) -> None:
    """No line is wider than the terminal, without UTF-8 too, whatever the text holds."""
    for text in (TEXT * 20, "王冬梅\x1b[31m今年54岁\n" * 50, " "):
        assert max(map(len, screen(text, width=width, encoding=encoding).splitlines())) <= width
        assert "\x1b" not in screen(text, width=width, encoding=encoding)


def test_a_clean_text_says_so() -> None:
    """Nothing found is said, not left out."""
    assert "none found" in screen("hello")


def test_samples_and_disguises_are_told() -> None:
    """A text read in parts, or with hidden characters, is marked as such."""
    shown = screen("dis\u200bguised " * 100)
    assert "in samples" in shown
    assert "hidden or look-alike" in shown


def test_programs_get_the_same() -> None:
    """The machine form carries places and evidence, and not the text."""
    made: dict[str, Any] = classify_json(report(TEXT))
    assert made["jailbreak"]["probability"] == 0.9
    assert made["complexity"]["easy"] == 0.7
    assert [finding.label for finding in made["pii"]["findings"]] == ["PERSON", "CREDIT_CARD"]


def test_the_shipped_model_answers() -> None:
    """Domain, complexity, risk, personal data and embedding, for programs and on a screen."""
    made = json.loads(run("--json", "What is the derivative of x^3? Mail ann@example.org").output)
    assert made["domains"]["math"] > 0.5
    assert "EMAIL_ADDRESS" in [finding["label"] for finding in made["pii"]["findings"]]
    assert sum(made["complexity"].values()) == pytest.approx(1, abs=1e-3)
    assert 0 <= made["jailbreak"]["probability"] < 0.5
    assert made["embedding"]["dimension"] == 384
    assert "384 dimensions" in run("hello").output


def test_standard_input_is_read() -> None:
    """``-`` reads the text from standard input."""
    made = json.loads(run("--json", "-", stdin="from 10.0.0.1").output)
    assert [finding["label"] for finding in made["pii"]["findings"]] == ["IP_ADDRESS"]


def test_a_folder_that_is_no_model_is_the_operators_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence and exit status 1, no traceback."""
    assert main(["classify", "-m", str(tmp_path), "x"]) == 1
    assert "manifest.json" in capsys.readouterr().err


def test_the_encoder_is_closed_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads end with the command, so that the command ends."""
    closed: list[bool] = []
    original: Callable[[Encoder], None] = Encoder.close
    monkeypatch.setattr(Encoder, "close", lambda self: (closed.append(True), original(self)))
    run("hello")
    assert closed


def test_help_explains_it() -> None:
    """The command is in the list and has its own page."""
    assert "classify" in CliRunner().invoke(pointsman, ["--help"]).output
    assert "--json" in run("--help").output
