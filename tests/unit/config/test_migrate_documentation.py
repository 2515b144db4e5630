"""The migration page says what the migration does."""

import re
from pathlib import Path

from pointsman.config.migration import rewrite
from pointsman.config.migration.flat import Category, Endpoint, FlatDocument, Model
from pointsman.config.migration.places import PLACES
from pointsman.config.shape import keys

PAGE = (Path(__file__).parents[3] / "docs" / "migration.md").read_text()


def test_the_example_is_real() -> None:
    """The second document on the page is what the command makes of the first."""
    before, after = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert rewrite(before, "before.yaml")[0] == after


def test_every_key_of_the_flat_eras_is_on_the_page() -> None:
    """Each key the migration knows, at the top or within categories, models and endpoints, is explained."""
    known = {key for part in (FlatDocument, Category, Endpoint, Model) for key in keys(part)}
    assert not {key for key in known if not re.search(rf"\b{key}\b", PAGE)}


def test_the_table_of_places_is_the_migrations_own() -> None:
    """Every block is listed with the place it moves to."""
    for place in PLACES:
        [row] = [row for row in PAGE.splitlines() if row.startswith(f"| `{place.old}` |")]
        assert place.note in row
        assert place.new in row
        assert all(f"`{key}`" in row for key in (*place.renamed, *place.gone))
