"""docs/endpoints.md says what the code does."""

import re
from pathlib import Path

import pytest

from pointsman.config import examine, parse
from pointsman.dialects.endpoint_table import endpoint_table, operators_list
from pointsman.dialects.forwarded import Forwarded

PAGE = (Path(__file__).parents[3] / "docs" / "endpoints.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_tables_are_up_to_date() -> None:
    """When not, paste what is shown here."""
    assert endpoint_table() in PAGE, endpoint_table()
    assert operators_list() in PAGE, operators_list()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads_and_asks_for_nothing_in_vain(example: str) -> None:
    """The documents of the page are sound, and every key in them has an effect."""
    assert not examine(parse(example, {}))


def test_the_paths_that_are_sent_on_are_those_of_the_page() -> None:
    """The defaults of the code, of the document and of the page are one."""
    default = parse(EXAMPLES[1], {}).gateway.forwarded_paths
    assert default == Forwarded().paths
    assert ", ".join(f"`{path}`" for path in default[:-1]) + f", and `{default[-1]}`" in PAGE
