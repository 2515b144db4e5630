"""A decision's own settings over those of the whole document."""

from typing import TypeVar

from pointsman.config.base import Part

Settings = TypeVar("Settings", bound=Part)


def merged(kind: type[Settings], own: Settings | None, common: Settings | None) -> Settings:
    """Every key that a decision writes, then every key written for all decisions, then the defaults."""
    written = {name: getattr(part, name) for part in (common, own) if part for name in part.model_fields_set}
    return kind().model_copy(update=written)
