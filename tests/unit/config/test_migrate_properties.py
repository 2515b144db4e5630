"""Facts of migration that hold for any part of a flat document, and for any damage to one."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.config import parse
from pointsman.config.migration import rewrite
from pointsman.core.errors import ConfigError

_DOCUMENTS = Path(__file__).parent / "documents"
_FLAT = [
    data.get("config", data)
    for data in (yaml.safe_load((_DOCUMENTS / f"era_{era}.yaml").read_text()) for era in "abc")
]
_FAST = settings(max_examples=80, deadline=None)
_JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([[], {}, [[]], [{}], [None], {"name": "x"}, "${X}", "1.0", "true"])
)


def _outcome(data: Any) -> None:
    """Load and rewrite; anything but settings, text or a ConfigError that says something is a failure."""
    text = json.dumps(data)
    for attempt in (lambda: parse(text, {"X": "x"}), lambda: rewrite(text, "old.yaml")):
        try:
            attempt()
        except ConfigError as error:
            problems = error.problems
        else:
            continue
        assert problems
        assert all(problem.message and problem.remedy for problem in problems)


def _pruned(data: st.DataObject, value: Any, depth: int = 0) -> Any:
    """A subset: keys and items left out at random, some levels deep."""
    if depth < 4 and isinstance(value, dict):
        kept = data.draw(st.sets(st.sampled_from(sorted(value)), max_size=12)) if value else ()
        return {key: _pruned(data, value[key], depth + 1) for key in sorted(kept)}
    if depth < 4 and isinstance(value, list) and value:
        return [_pruned(data, item, depth + 1) for item in value if data.draw(st.booleans())]
    return value


@_FAST
@given(st.data(), st.sampled_from(_FLAT))
def test_any_subset_migrates_or_is_a_config_error(data: st.DataObject, document: dict[str, Any]) -> None:
    """Whatever part of a flat document is left gives a document that loads, or problems in plain words."""
    _outcome(_pruned(data, document))


@_FAST
@given(st.sampled_from(_FLAT), st.lists(st.integers(0, 60), min_size=1, max_size=6), _JUNK)
def test_any_damage_migrates_or_is_a_config_error(
    document: dict[str, Any], path: list[int], value: Any
) -> None:
    """The same holds when any value anywhere is replaced by anything."""
    damaged = copy.deepcopy(document)
    here: Any = damaged
    for position, step in enumerate(path):
        index = step % len(here)
        key = list(here)[index] if isinstance(here, dict) else index
        if position == len(path) - 1 or not isinstance(here[key], dict | list) or not here[key]:
            here[key] = value
            break
        here = here[key]
    _outcome(damaged)


@_FAST
@given(st.sets(st.sampled_from(sorted({key for document in _FLAT for key in document}))), _JUNK)
def test_any_value_of_known_keys_is_a_document_or_a_config_error(keys: set[str], value: Any) -> None:
    """The same holds for any value under any top-level key of the flat eras."""
    _outcome(dict.fromkeys(sorted(keys), value))
