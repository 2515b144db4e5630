from pathlib import Path

import pytest

from pointsman.transports.api.route_table import planned_table, routes_table

PAGE = Path(__file__).parents[3] / "docs" / "management-api.md"


@pytest.mark.parametrize("table", [routes_table(), planned_table()], ids=["routes", "planned"])
def test_the_api_page_is_what_the_code_says(table: str) -> None:
    """The generated blocks of docs/management-api.md are up to date; when not, paste the table shown here."""
    assert table in PAGE.read_text(), table
