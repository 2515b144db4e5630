"""Knowledge bases: files, thresholds, groups, metrics."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.errors import ConfigError
from pointsman.signals import kb_files
from unit.signals.fakes import Encoder, document, evaluator, matched, observed

ANGLES = {"e": 0.0, "n": 90.0, "near e": 10.0, "middle": 40.0, "far": 170.0}
LABELS = {"east": {"exemplars": ["e"]}, "north": {"description": "up", "exemplars": ["n"]}, "empty": {}}


def label(name: str, value: str, match: str = "best", kind: str = "label") -> dict[str, Any]:
    """A rule on a label or group of the one knowledge base."""
    return {"name": name, "kb": "k", "target": {"kind": kind, "value": value}, "match": match}


def base(folder: Path, labels: object = LABELS, **rest: Any) -> Any:
    """A document with a knowledge base in a folder."""
    (folder / "labels.json").write_text(json.dumps({"version": "1", "labels": labels}))
    return document(kbs=[{"name": "k", "source": {"path": str(folder)}, "threshold": 0.6} | rest])


def test_best_and_threshold_differ_where_several_are_reached(tmp_path: Path) -> None:
    """`best` matches the best label of those reached, `threshold` every label that is reached."""
    rules = {"kb": [label("e", "east"), label("n", "north"), label("every", "north", "threshold")]}
    built = evaluator(rules, "kb", Encoder(ANGLES), base(tmp_path))
    assert matched(built, "middle") == {"e", "every"}
    assert matched(built, "near e") == {"e"}
    assert not matched(built, "far")


def test_a_label_may_have_its_own_threshold(tmp_path: Path) -> None:
    """The best label that does not reach its own threshold leaves the next one best."""
    rules = {"kb": [label("e", "east"), label("n", "north")]}
    settings = base(tmp_path, label_thresholds={"east": 0.9})
    assert matched(evaluator(rules, "kb", Encoder(ANGLES), settings), "middle") == {"n"}


def test_a_group_is_its_best_label(tmp_path: Path) -> None:
    """A group's confidence is the score of its best label."""
    rules = {"kb": [label("g", "both", kind="group"), label("h", "up", kind="group")]}
    settings = base(tmp_path, groups={"both": ["east", "north"], "up": ["north"]})
    found = observed(evaluator(rules, "kb", Encoder(ANGLES), settings), "near e")
    assert (found["g"].matched, found["h"].matched) == (True, False)
    assert found["g"].confidence == pytest.approx(0.985, abs=1e-3)


def test_metrics_are_signals_of_their_own(tmp_path: Path) -> None:
    """A margin is the positive group's score minus the negative one's, below zero if that is so."""
    settings = base(
        tmp_path,
        groups={"e": ["east"], "n": ["north"]},
        metrics=[{"name": "m", "positive_group": "n", "negative_group": "e"}],
    )
    names = ["k:m", "k:best_score", "k:best_matched_score"]
    found = observed(evaluator({}, "kb_metric", Encoder(ANGLES), settings, names=names), "e")
    assert [found[name].confidence for name in names] == pytest.approx([-1.0, 1.0, 1.0], abs=1e-6)


def test_a_label_may_have_its_examples_in_a_file(tmp_path: Path) -> None:
    """A text a line, beside those of the manifest; blank lines are none."""
    (tmp_path / "north.txt").write_text("n\n\n  middle \n")
    found = kb_files.labels_of(
        base(tmp_path, {"north": {"file": "north.txt", "exemplars": ["up"]}})
        .global_.model_catalog.kbs[0]
        .source,
        where="here",
    )
    assert found == {"north": ("up", "n", "middle")}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "no object called labels"),
        ({"a": {}}, "no label has an example"),
        ({"a": []}, "the label 'a' is no object"),
        ({"a": {"exemplars": [1]}}, "no list of texts"),
        ({"a": {"file": "absent.txt"}}, "No such file"),
    ],
)
def test_files_that_are_not_as_they_should_be_are_refused(tmp_path: Path, labels: object, words: str) -> None:
    """The error is at the source's key and says what is wrong with which file."""
    with pytest.raises(ConfigError, match=words) as error:
        evaluator({"kb": [label("r", "a")]}, "kb", Encoder(), base(tmp_path, labels))
    assert error.value.problems[0].path == "global.model_catalog.kbs[0].source"


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest longer than the bound is not read to its end."""
    monkeypatch.setattr(kb_files, "MAX_BYTES", 20)
    with pytest.raises(ConfigError, match="longer than 20 bytes"):
        evaluator({"kb": [label("r", "east")]}, "kb", Encoder(), base(tmp_path))


@pytest.mark.parametrize(
    ("rule", "rest", "path"),
    [
        (label("r", "esat"), {}, "routing.signals.kb[0].target.value"),
        (label("r", "up", kind="group"), {}, "routing.signals.kb[0].target.value"),
        (label("r", "east"), {"label_thresholds": {"x": 0.5}}, "kbs[0].label_thresholds.x"),
        (label("r", "east"), {"groups": {"g": ["east", "x"]}}, "kbs[0].groups.g[1]"),
        (label("r", "east"), {"groups": {"g": []}}, "kbs[0].groups.g"),
        (
            label("r", "east"),
            {"metrics": [{"name": "m", "positive_group": "g"}]},
            "metrics[0].positive_group",
        ),
        (label("r", "east") | {"kb": "privacy_kb"}, {}, "routing.signals.kb[0].kb"),
    ],
)
def test_names_that_do_not_exist_are_refused(tmp_path: Path, rule: Any, rest: Any, path: str) -> None:
    """Labels, groups and knowledge bases that are not there are errors at their key."""
    with pytest.raises(ConfigError) as error:
        evaluator({"kb": [rule]}, "kb", Encoder(ANGLES), base(tmp_path, **rest))
    assert error.value.problems[0].path.endswith(path)


def test_a_metric_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """The error lists the metrics that there are."""
    with pytest.raises(ConfigError, match="best_score, best_matched_score"):
        evaluator({}, "kb_metric", Encoder(ANGLES), base(tmp_path), names=["k:absent"])
