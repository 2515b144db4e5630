"""The page on the router's flags says what the table says, and its examples run."""

import re
import shlex
from pathlib import Path

import yaml
from click.testing import CliRunner

from pointsman.cli.router import router
from pointsman.config.stack.page import table

PAGE = Path(__file__).parents[4] / "docs" / "router-flags.md"


def test_the_pages_table_is_that_of_the_flags() -> None:
    """The table is generated; regenerate it when this fails."""
    page = PAGE.read_text()
    start, end = "<!-- table: flags -->\n", "<!-- end: flags -->"
    assert page.partition(start)[2].partition(end)[0] == table()


def test_the_pages_command_prints_the_pages_document() -> None:
    """The example's document is what its command line means."""
    page = PAGE.read_text()
    found = re.search(
        r"```console\n\$ (pointsman router .*?--print-config)\n```\n\n```yaml\n(.*?)```", page, re.DOTALL
    )
    assert found
    arguments = shlex.split(found[1].replace("\\\n", " "))[2:]
    result = CliRunner().invoke(router, arguments)
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(result.stdout) == yaml.safe_load(found[2])
