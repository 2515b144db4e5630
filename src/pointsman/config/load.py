"""From text to ``Settings``."""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from pointsman.config.document import Settings


def parse(text: str, env: Mapping[str, str], source: str = "configuration") -> Settings:
    """The settings a document describes; ConfigError with every problem found."""
    data = yaml.safe_load(text)
    del env, source
    if isinstance(data, dict) and isinstance(data.get("config"), dict) and "version" not in data:
        data = data["config"]
    return Settings.model_validate(data)


def load_file(path: Path | str, env: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file; ConfigError with every problem found."""
    return parse(Path(path).read_text(encoding="utf-8"), os.environ if env is None else env, str(path))
