"""The router's dynamic configuration file, in both of its shapes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pointsman.config.faults import error
from pointsman.config.plain import to_written
from pointsman.config.tree import read
from pointsman.core.errors import ConfigError

_NESTED: Final = ("static_backends", "static_model_type", "static_model_label")


def read_dynamic(path: Path) -> Mapping[str, Any]:
    """What a file says, by the keys of flags: YAML or JSON, models nested or flat.

    Raises ConfigError when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise ConfigError([error("", f"cannot be read: {reason}", "check the path")], str(path)) from None
    root, problems = read(text)
    plain = to_written(root) if root is not None else None
    problems = [*problems, *(plain.problems if plain else ())]
    if problems:
        raise ConfigError(problems, str(path))
    data = plain.data if plain else {}
    if not isinstance(data, dict):
        raise ConfigError([error("", "is no mapping", "write keys and values")], str(path))
    return flatten(data, str(path))


def flatten(data: Mapping[str, Any], source: str) -> dict[str, Any]:
    """``static_models`` and ``static_aliases`` as the lists that the flags take, the rest as it is."""
    flat = dict(data)
    models = data.get("static_models")
    if isinstance(models, dict):
        rows = [row for name, model in models.items() for row in _rows(str(name), model, source)]
        flat["static_backends"] = [row["static_backends"] for row in rows]
        flat["static_models"] = [row["name"] for row in rows]
        for key in ("static_model_type", "static_model_label"):
            if any(row[key] for row in rows):
                flat[f"{key}s"] = [row[key] for row in rows]
    aliases = data.get("static_aliases")
    if isinstance(aliases, dict):
        flat["static_aliases"] = [f"{alias}:{model}" for alias, model in aliases.items()]
    return flat


def _rows(name: str, model: Any, source: str) -> Iterator[dict[str, str]]:
    """One row for each replica of a model."""
    where = f"static_models.{name}"
    if not isinstance(model, dict) or not isinstance(model.get("static_backends"), list):
        wrong = error(where, "has no list of static_backends", "list the URLs of its engines there")
        raise ConfigError([wrong], source)
    unknown = sorted(set(model) - set(_NESTED))
    if unknown:
        remedy = f"use {', '.join(_NESTED)}"
        raise ConfigError([error(f"{where}.{unknown[0]}", "is no key of a model", remedy)], source)
    for url in model["static_backends"]:
        row = {key: str(model.get(key) or "") for key in _NESTED}
        yield {**row, "name": name, "static_backends": str(url)}
