"""The schema as data: which keys a part of the document has, and which parts lie below a key."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic.fields import FieldInfo

from pointsman.config.base import Part


def keys(part: type[Part]) -> dict[str, FieldInfo]:
    """The fields of a part by the key the document uses."""
    return {info.alias or name: info for name, info in part.model_fields.items()}


def parts_in(annotation: Any) -> Iterator[type[Part]]:
    """Every part that an annotation mentions, however wrapped in lists, mappings and alternatives."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from parts_in(argument)


def _answers_to(part: type[Part], tag: str) -> bool:
    """Whether ``part`` is the alternative that a union's tag, such as ``<rag>``, stands for."""
    if tag == "<leaf>":
        return "conditions" not in part.model_fields
    if tag == "<node>":
        return "conditions" in part.model_fields
    return tag.strip("<>") in get_args(part.model_fields["type"].annotation)


def parts_at(root: type[Part], location: tuple[int | str, ...]) -> tuple[type[Part], ...]:
    """The parts that may stand at a location (keys, list indexes, union tags); none where data is free."""
    here: tuple[type[Part], ...] = (root,)
    for step in location:
        if isinstance(step, int):
            continue
        if step.startswith("<"):
            here = tuple(part for part in here if _answers_to(part, step))
            continue
        fields = [keys(part)[step] for part in here if step in keys(part)]
        if fields:
            here = tuple(part for info in fields for part in parts_in(info.annotation))
    return here


def field_at(root: type[Part], location: tuple[int | str, ...]) -> FieldInfo | None:
    """The field a location ends at; ``None`` for list items and unknown keys."""
    if not location or isinstance(location[-1], int):
        return None
    for part in parts_at(root, location[:-1]):
        if location[-1] in keys(part):
            return keys(part)[location[-1]]
    return None
