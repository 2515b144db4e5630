"""The document's JSON Schema, and its tables for the documentation."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic_core import PydanticUndefined

from pointsman.config.base import Part
from pointsman.config.document import Settings
from pointsman.config.shape import keys, parts_in

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Final = "FromEnvironment"
_DOCUMENT: Final = "Document"
_BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""Bounds that pydantic leaves in its own words where a validator of ours comes first."""


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a document, bare or under ``config``, for editors and CI."""
    document = Settings.model_json_schema(by_alias=True, mode="validation")
    definitions = document.pop("$defs")
    stores = definitions["Stores"]["properties"]
    stores["semantic_cache"] = {"$ref": "#/$defs/ResponseCacheStore", "deprecated": True}
    document = {name: _with_variables(part) for name, part in definitions.items()} | {
        _DOCUMENT: _with_variables(document)
    }
    document[_VARIABLE] = {
        "type": "string",
        "pattern": r"\$",
        "description": "A value from the environment: ${VAR} or ${VAR:-default}.",
    }
    reference = {"$ref": f"#/$defs/{_DOCUMENT}"}
    under_config = {
        "type": "object",
        "properties": {"config": reference},
        "required": ["config"],
        "not": {"required": ["version"]},
    }
    return {
        "$schema": DIALECT,
        "title": "pointsman configuration",
        "description": "The semantic router's v0.3 document, bare or under config as Helm values carry it.",
        "$defs": document,
        "anyOf": [reference, under_config],
    }


def _with_variables(schema: Any) -> Any:
    """``schema`` with ``${VAR}`` allowed wherever a number or a truth value is."""
    if isinstance(schema, list):
        return [_with_variables(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {_BOUNDS.get(key, key): value for key, value in schema.items()}
    if schema.get("type") in ("integer", "number", "boolean"):
        outside = {key: schema[key] for key in ("default", "description", "title") if key in schema}
        inside = {key: value for key, value in schema.items() if key not in outside}
        return {"anyOf": [inside, {"$ref": f"#/$defs/{_VARIABLE}"}], **outside}
    return {
        key: {name: _with_variables(_untitled(inner)) for name, inner in value.items()}
        if key == "properties"
        else value
        if key in {"default", "examples", "enum", "const"}
        else _with_variables(value)
        for key, value in schema.items()
    }


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """A property's schema without the title that only repeats its key."""
    return {key: value for key, value in schema.items() if key != "title"}


def table(part: type[Part], prefix: str = "") -> str:
    """A Markdown table of every key below a part: path, default and meaning."""
    rows = ["| Key | Default | Meaning |", "|---|---|---|"]
    rows += [f"| `{path}` | {default} | {meaning} |" for path, default, meaning in _rows(part, prefix)]
    return "\n".join(rows) + "\n"


def _rows(part: type[Part], prefix: str) -> Iterator[tuple[str, str, str]]:
    for key, info in keys(part).items():
        path = f"{prefix}.{key}" if prefix else key
        below = list(parts_in(info.annotation))
        if len(below) == 1 and info.default is PydanticUndefined:
            yield from _rows(below[0], path)
            continue
        default = "required" if info.is_required() else _written(info.get_default(call_default_factory=True))
        yield path, default, info.description or ""


def _written(default: Any) -> str:
    """A default as the document would write it."""
    if default is None:
        return "-"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default not in ("", (), {}) else "-"
