"""Ways to say what contradicts what in a document."""

from collections.abc import Iterable, Iterator

from pointsman.config.translate import nearest
from pointsman.core.problem import Problem, Severity


def error(path: str, message: str, remedy: str) -> Problem:
    """A problem that keeps the document from running."""
    return Problem(Severity.ERROR, path, message, remedy)


def unknown(path: str, what: str, name: str, known: Iterable[str], otherwise: str) -> Problem:
    """A name that nothing has, with the nearest one that something has."""
    near = nearest(name, known)
    return error(path, f"{what} {name!r} is not declared", f"did you mean {near}?" if near else otherwise)


def duplicates(path: str, what: str, names: Iterable[str], key: str = "name") -> Iterator[Problem]:
    """A problem for each item of a list whose name an earlier one has."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            message = f"{what} {name!r} is declared twice, first at {path}[{first[name]}]"
            yield error(f"{path}[{index}].{key}", message, "rename or remove one of the two")
