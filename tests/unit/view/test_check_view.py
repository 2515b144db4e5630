import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from pointsman.cli.view.check import check_view
from pointsman.core.problem import Problem, Severity

PROBLEMS = [
    Problem(Severity.UNIMPLEMENTED, "routing.projections", "projections have no effect yet"),
    Problem(
        Severity.WARNING, "routing.decisions[1].rules", "decision 'b' can never win", "raise its priority"
    ),
    Problem(Severity.ERROR, "providers.models[0].name" + "x" * 90, "unknown key 'nam', 值", "write name"),
    Problem(Severity.REFUSED, "routing.signals.pii", "pii is not implemented", "remove it"),
]


def printed(problems: list[Problem], encoding: str = "utf-8") -> str:
    """What a terminal of 80 columns shows."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=file, width=80, color_system=None).print(check_view(problems, "mom.yaml"))
    file.seek(0)
    return file.read()


def test_the_most_serious_comes_first() -> None:
    """Problems are grouped by severity whatever order they were found in."""
    screen = printed(PROBLEMS)
    places = [
        screen.index(each.message[:12]) for each in (PROBLEMS[2], PROBLEMS[3], PROBLEMS[1], PROBLEMS[0])
    ]
    assert places == sorted(places)


def test_every_problem_has_its_path_message_and_remedy() -> None:
    """Nothing that helps to repair the document is left out or cut off."""
    screen = "".join(printed(PROBLEMS).split())
    for problem in PROBLEMS:
        for part in (problem.path, problem.message, problem.remedy):
            assert "".join(part.split()) in screen


def test_the_last_line_says_whether_it_runs() -> None:
    """A document with errors does not run, one with warnings does, and one with neither is clean."""
    assert printed(PROBLEMS).splitlines()[-1] == (
        "✗ mom.yaml: 1 error, 1 refusal, 1 warning, 1 key without effect; it does not run"
    )
    assert printed(PROBLEMS[:2]).splitlines()[-1] == "✓ mom.yaml: 1 warning, 1 key without effect"
    assert printed([]).strip() == "✓ mom.yaml: no problems"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_it_fits_any_terminal_of_80_columns(encoding: str) -> None:
    """Long paths are folded, and characters the encoding lacks are replaced."""
    for line in printed(PROBLEMS, encoding).splitlines():
        assert cell_len(line.rstrip()) <= 80
