from pathlib import Path

from pointsman.observe.catalogue_table import metrics_table

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_metrics_page_is_what_the_code_says() -> None:
    """The generated block of docs/metrics.md is up to date; when not, paste the table shown here."""
    assert metrics_table() in PAGE.read_text(), metrics_table()
