import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pointsman.cli.main import main
from pointsman.cli.select_train import read_outcomes, select_train
from pointsman.core.errors import StartError
from pointsman.selection.outcomes import Outcomes
from pointsman.selection.training import held_out, judge


def written(folder: Path, *rows: object) -> Path:
    path = folder / "outcomes.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_both_shapes_of_a_row_are_read(tmp_path: Path) -> None:
    """All scores at once, or one model a line; a text that comes twice is one request."""
    path = written(
        tmp_path,
        {"text": "one", "scores": {"a": 0, "b": 1}},
        "",
        {"text": "two", "model": "a", "score": 0.5},
        {"text": "two", "model": "b", "score": 1},
    )
    assert read_outcomes(path, "text") == {"one": {"a": 0.0, "b": 1.0}, "two": {"a": 0.5, "b": 1.0}}


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ({"scores": {"a": 1}}, "--text"),
        ({"text": " ", "scores": {"a": 1}}, "--text"),
        ({"text": "x"}, "neither"),
        ({"text": "x", "scores": {}}, "neither"),
        ({"text": "x", "scores": {"a": 2}}, "0 to 1"),
        ({"text": "x", "scores": {"a": True}}, "0 to 1"),
        ({"text": "x", "model": "a"}, "0 to 1"),
        ({"text": "x", "model": ["a"], "score": 1}, "model"),
    ],
)
def test_a_row_at_fault_is_named_by_its_line(tmp_path: Path, row: object, word: str) -> None:
    """File, line, what is wrong and what would be right."""
    path = written(tmp_path, {"text": "fine", "scores": {"a": 0, "b": 1}}, row)
    with pytest.raises(StartError, match=r"outcomes\.jsonl:2: ") as caught:
        read_outcomes(path, "text")
    assert word in str(caught.value)


def test_one_model_is_nothing_to_choose_from(tmp_path: Path) -> None:
    """Two or more are needed."""
    with pytest.raises(StartError, match="two or more"):
        read_outcomes(written(tmp_path, {"text": "x", "scores": {"a": 1}}), "text")


def test_a_file_is_trained_and_judged(tmp_path: Path) -> None:
    """The whole way with the shipped encoder: a file that loads, a report, the encoder's name."""
    rows = [{"q": f"question {n}", "scores": {"a": n % 2, "b": 1 - n % 2}} for n in range(20)]
    path, out, prices = written(tmp_path, *rows), tmp_path / "o.npz", tmp_path / "prices.json"
    prices.write_text('{"a": 1, "b": 2}')
    arguments = [str(path), "-o", str(out), "--text", "q", "--held-out", "0.5", "--prices", str(prices)]
    result = CliRunner().invoke(select_train, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    for word in ("random model", "best single", "knn, k = 1", "oracle", "mean price", "20 requests"):
        assert word in result.output
    trained = Outcomes.load(out)
    assert trained.models == ("a", "b")
    assert trained.encoder in result.output
    assert np.allclose(np.linalg.norm(trained.vectors, axis=1), 1, atol=1e-2)


def test_a_price_that_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is encoded."""
    path, prices = written(tmp_path, {"text": "x", "scores": {"a": 1, "b": 0}}), tmp_path / "p.json"
    prices.write_text('{"a": 1}')
    assert main(["select-train", str(path), "-o", str(tmp_path / "o"), "--prices", str(prices)]) == 1
    assert "no price of b" in capsys.readouterr().err


def test_the_report_knows_what_is_best() -> None:
    """Where neighbours decide everything, knn is the oracle and the best single model is half as good."""
    kinds = np.arange(40) % 2
    vectors = np.stack([1 - kinds, kinds], axis=1).astype(np.float32)
    scores = np.stack([1 - kinds, kinds], axis=1).astype(np.float32)
    test = np.arange(40) >= 30
    gains = {
        gain.name: gain
        for gain in judge(Outcomes("e", ("a", "b"), vectors, scores), test, (1, 5, 100), {"a": 1.0, "b": 3.0})
    }
    assert gains["knn, k = 5"].score == gains["oracle"].score == 1.0
    assert gains["best single: a"].score == gains["random model"].score == 0.5
    assert (gains["best single: a"].price, gains["oracle"].price) == (1.0, 2.0)
    assert "knn, k = 100" not in gains


def test_what_is_held_out_depends_on_the_text_alone() -> None:
    """About the share asked for, the same texts whatever stands around them."""
    texts = [f"text {number}" for number in range(2000)]
    found = held_out(texts, 0.2)
    assert 0.15 < found.mean() < 0.25
    assert (held_out(texts[::-1], 0.2) == found[::-1]).all()
