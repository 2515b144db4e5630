"""Facts that hold for any data whatsoever."""

import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.config import Settings, examine, masked, parse
from pointsman.config.shape import keys, parts_in
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

_KNOWN = sorted({key for part in [Settings, *parts_in(Settings)] for key in keys(part)})
_BELOW = sorted(
    {
        key
        for name in ("Providers", "Routing", "Global", "Gateway")
        for part in parts_in(
            next(i.annotation for i in Settings.model_fields.values() if name in str(i.annotation))
        )
        for key in keys(part)
    }
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["v0.3", "AND", "keyword", "system_prompt", "${X}", "$$", "base", "host:1", "32K", "1m"]
    )
)
_DATA = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KNOWN + _BELOW) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=25,
)
_FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _outcome(text: str | bytes) -> Settings | None:
    """The settings, or ``None`` after a ConfigError whose problems all say something."""
    problems: tuple[Problem, ...] = ()
    loaded = None
    try:
        loaded = parse(text, {"X": "x"})
    except ConfigError as error:
        problems = error.problems
    assert bool(problems) == (loaded is None)
    assert all(problem.message and problem.remedy for problem in problems)
    if loaded is not None:
        assert isinstance(masked(loaded), dict)
        assert all(problem.path for problem in examine(loaded))
    return loaded


@_FAST
@given(_DATA)
def test_any_data_is_settings_or_a_config_error(data: Any) -> None:
    """Whatever JSON or YAML data a document holds, the outcome is settings or a ConfigError."""
    _outcome(yaml.safe_dump(data, allow_unicode=True))
    _outcome(json.dumps(data))


@_FAST
@given(st.dictionaries(st.sampled_from(sorted(keys(Settings))), _DATA, max_size=5))
def test_any_content_of_known_keys_is_settings_or_a_config_error(data: dict[str, Any]) -> None:
    """The same holds for data under the document's own keys."""
    _outcome(json.dumps({"version": "v0.3", **data}))


@_FAST
@given(st.text() | st.binary())
def test_any_text_is_settings_or_a_config_error(text: str | bytes) -> None:
    """The same holds for any text and any bytes."""
    _outcome(text)


@_FAST
@given(path=st.lists(st.integers(0, 50), max_size=6), value=_DATA)
def test_any_edit_of_a_working_document_is_settings_or_a_config_error(
    change: Callable[[str, Any], str], path: list[int], value: Any
) -> None:
    """Any value anywhere in a document that runs gives settings that survive dumping, or a ConfigError."""
    document = yaml.safe_load(change("entrypoints", []))
    here: Any = document
    for step in path:
        if not here or not isinstance(here, dict | list):
            break
        index = step % len(here)
        key = list(here)[index] if isinstance(here, dict) else index
        if step is path[-1] or not isinstance(here[key], dict | list):
            here[key] = value
            break
        here = here[key]
    loaded = _outcome(json.dumps(document))
    if loaded is not None:
        assert Settings.model_validate(loaded.model_dump()) == loaded
