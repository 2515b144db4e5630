"""The JSON Schema, checked with a small evaluator of the keywords it uses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import json_schema

EXAMPLE = Path(__file__).parents[3] / "examples" / "mom.yaml"


class Validator:
    """As much of draft 2020-12 as the schema uses."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.root = schema
        self.unknown: set[str] = set()

    def accepts(self, value: Any, schema: Any = None) -> bool:
        """Whether a value satisfies a schema (the root by default)."""
        schema = self.root if schema is None else schema
        if schema is True or schema == {}:
            return True
        checks = {key: getattr(self, f"_{key.lstrip('$')}", None) for key in schema}
        ignored = {"title", "description", "default", "examples", "deprecated", "$schema", "$defs"}
        self.unknown |= {key for key, check in checks.items() if check is None} - ignored
        return all(check(value, schema[key], schema) for key, check in checks.items() if check)

    def _ref(self, value: Any, ref: str, _: Any) -> bool:
        return self.accepts(value, self.root["$defs"][ref.rsplit("/", 1)[1]])

    def _anyOf(self, value: Any, schemas: list[Any], _: Any) -> bool:  # noqa: N802 the keyword's name
        return any(self.accepts(value, schema) for schema in schemas)

    def _oneOf(self, value: Any, schemas: list[Any], _: Any) -> bool:  # noqa: N802 the keyword's name
        return sum(self.accepts(value, schema) for schema in schemas) == 1

    def _not(self, value: Any, schema: Any, _: Any) -> bool:
        return not self.accepts(value, schema)

    def _type(self, value: Any, types: Any, _: Any) -> bool:
        names = {
            "object": dict,
            "array": list,
            "string": str,
            "boolean": bool,
            "integer": int,
            "number": (int, float),
            "null": type(None),
        }
        kinds = types if isinstance(types, list) else [types]
        return any(
            isinstance(value, names[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
            for kind in kinds
        )

    def _properties(self, value: Any, properties: dict[str, Any], _: Any) -> bool:
        return not isinstance(value, dict) or all(
            self.accepts(value[key], schema) for key, schema in properties.items() if key in value
        )

    def _required(self, value: Any, names: list[str], _: Any) -> bool:
        return not isinstance(value, dict) or all(name in value for name in names)

    def _additionalProperties(self, value: Any, schema: Any, whole: Any) -> bool:  # noqa: N802 the keyword's name
        extra = (
            [key for key in value if key not in whole.get("properties", {})]
            if isinstance(value, dict)
            else []
        )
        return not extra if schema is False else all(self.accepts(value[key], schema) for key in extra)

    def _items(self, value: Any, schema: Any, _: Any) -> bool:
        return not isinstance(value, list) or all(self.accepts(item, schema) for item in value)

    def _enum(self, value: Any, values: list[Any], _: Any) -> bool:
        return value in values

    def _const(self, value: Any, constant: Any, _: Any) -> bool:
        return bool(value == constant)

    def _minimum(self, value: Any, bound: float, _: Any) -> bool:
        return isinstance(value, str) or value >= bound

    def _maximum(self, value: Any, bound: float, _: Any) -> bool:
        return isinstance(value, str) or value <= bound

    def _exclusiveMinimum(self, value: Any, bound: float, _: Any) -> bool:  # noqa: N802 the keyword's name
        return isinstance(value, str) or value > bound

    def _minLength(self, value: Any, bound: int, _: Any) -> bool:  # noqa: N802 the keyword's name
        return not isinstance(value, str) or len(value) >= bound

    def _maxLength(self, value: Any, bound: int, _: Any) -> bool:  # noqa: N802 the keyword's name
        return not isinstance(value, str) or len(value) <= bound

    def _minItems(self, value: Any, bound: int, _: Any) -> bool:  # noqa: N802 the keyword's name
        return not isinstance(value, list) or len(value) >= bound

    def _maxProperties(self, value: Any, bound: int, _: Any) -> bool:  # noqa: N802 the keyword's name
        return not isinstance(value, dict) or len(value) <= bound

    def _pattern(self, value: Any, pattern: str, _: Any) -> bool:
        assert pattern == r"\$"
        return not isinstance(value, str) or "$" in value

    def _format(self, value: Any, form: str, _: Any) -> bool:
        assert form == "password"
        return isinstance(value, str)

    def _writeOnly(self, value: Any, flag: bool, _: Any) -> bool:  # noqa: N802 the keyword's shape
        return flag or value is not None

    def _discriminator(self, value: Any, keyword: Any, _: Any) -> bool:
        return bool(keyword) or value is not None


@pytest.fixture
def validator() -> Validator:
    """A validator of the document's schema."""
    return Validator(json_schema())


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_it_is_titled_json_of_draft_2020_12() -> None:
    """The schema is plain JSON, names its dialect and has a title."""
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "pointsman configuration"


def test_it_accepts_the_example_bare_and_under_config(validator: Validator) -> None:
    """The shipped example satisfies the schema, and so does it inside Helm values."""
    document = _read(EXAMPLE)
    assert validator.accepts(document)
    assert validator.accepts({"config": document, "replicaCount": 1})
    assert not validator.unknown


def test_it_accepts_the_tutorials_values(validator: Validator, documents: Path) -> None:
    """The tutorial's values satisfy the schema."""
    assert validator.accepts(_read(documents / "tutorial.yaml"))


def test_it_allows_variables_for_numbers(validator: Validator) -> None:
    """Where a number belongs, a reference to the environment does too, and other text does not."""
    assert validator.accepts({"version": "v0.3", "listeners": [{"port": "${PORT}"}]})
    assert not validator.accepts({"version": "v0.3", "listeners": [{"port": "http"}]})


@pytest.mark.parametrize(
    "fault",
    [
        {"routting": {}},
        {"listeners": [{"port": 70000}]},
        {"fleet": {"policy": "fast"}},
        {"routing": {"decisions": [{"name": "d", "rules": {"type": "keywrd", "name": "k"}}]}},
        {"routing": {"decisions": [{"name": "d", "plugins": [{"type": "rga"}]}]}},
        {"routing": {"decisions": [{"modelRefs": []}]}},
        {"version": "v0.2"},
    ],
)
def test_it_rejects_faults(validator: Validator, fault: dict[str, Any]) -> None:
    """Unknown keys, values out of bounds and missing names do not satisfy the schema."""
    assert validator.accepts({"version": "v0.3"})
    assert not validator.accepts({"version": "v0.3"} | fault)
    assert not validator.accepts({"config": {"version": "v0.3"} | fault})
