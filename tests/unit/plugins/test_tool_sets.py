from pathlib import Path
from typing import Any, cast

import pytest

from pointsman.config import Settings, parse
from pointsman.core.errors import ConfigError
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.tool_sets import absent, open_tool_sets

NOBODY = cast("TextEncoder", None)


def settings(**tools: Any) -> Settings:
    return Settings.model_validate(
        {"version": "v0.3", "global": {"integrations": {"tools": {"enabled": True, **tools}}}}
    )


def test_the_tools_of_the_upstream_image_may_be_missing(tmp_path: Path, monkeypatch: Any) -> None:
    """A document that names the image's example file starts without it, and check says what that means."""
    monkeypatch.chdir(tmp_path)
    written = settings(tools_db_path="config/tools_db.json")
    assert open_tool_sets(written, NOBODY) == {}
    (problem,) = absent(written)
    assert problem.path == "global.integrations.tools.tools_db_path"
    assert "builtin:assistant" in problem.remedy


def test_a_file_of_ones_own_must_be_there() -> None:
    """A path that only the author can have meant is an error, not a shrug."""
    with pytest.raises(ConfigError, match="cannot be read"):
        open_tool_sets(settings(tools_db_path="mine/tools.json"), NOBODY)


def test_the_tutorials_document_starts() -> None:
    """Its tools file ships in an image we are not: everything else of it must run."""
    document = Path(__file__).parents[1] / "config/documents/tutorial.yaml"
    assert open_tool_sets(parse(document.read_text(), {}, "tutorial"), NOBODY) == {}
