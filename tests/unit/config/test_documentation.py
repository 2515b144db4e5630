"""The schema explains itself, and the documentation says what the schema says."""

from collections.abc import Iterator
from pathlib import Path

from pointsman.config.base import Part
from pointsman.config.document import Settings
from pointsman.config.fleet import Fleet
from pointsman.config.gateway import Gateway
from pointsman.config.schema import table
from pointsman.config.shape import keys, parts_in

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def _parts(root: type[Part], seen: set[type[Part]]) -> Iterator[type[Part]]:
    if root in seen:
        return
    seen.add(root)
    yield root
    for info in root.model_fields.values():
        for part in parts_in(info.annotation):
            yield from _parts(part, seen)


def test_every_key_is_described_in_one_sentence() -> None:
    """Each of the schema's keys says what it means, ending in a full stop."""
    silent = [
        f"{part.__name__}.{key}"
        for part in _parts(Settings, set())
        for key, info in keys(part).items()
        if not (info.description or "").endswith(".")
    ]
    assert not silent


def test_every_part_is_closed_and_frozen() -> None:
    """No part of the document accepts unknown keys or changes after loading."""
    for part in _parts(Settings, set()):
        assert part.model_config["extra"] == "forbid"
        assert part.model_config["frozen"] is True


def test_the_pages_tables_are_those_of_the_schema() -> None:
    """The tables of gateway and fleet on the page are generated; regenerate them when this fails."""
    page = PAGE.read_text()
    for name, part in (("gateway", Gateway), ("fleet", Fleet)):
        start, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        assert page.partition(start)[2].partition(end)[0] == table(part, name)
