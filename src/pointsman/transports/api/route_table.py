"""The table of endpoints in `docs/management-api.md`."""

from typing import Any, get_args, get_origin

from pointsman.transports.api.planned import PLANNED
from pointsman.transports.api.table import ROUTES


def routes_table() -> str:
    """Every endpoint with what it takes and gives, as a Markdown table."""
    rows = [
        f"| {route.method} | `{route.path}` | {route.summary} | {_name(route.takes)} | {_name(route.gives)} |"
        for route in ROUTES
    ]
    return "\n".join(["| Method | Path | Meaning | Takes | Gives |", "|---|---|---|---|---|", *rows])


def planned_table() -> str:
    """The semantic router's endpoints that later versions bring, as a Markdown table."""
    rows = [f"| `{path}` | {version} |" for path, version in PLANNED.items()]
    return "\n".join(["| Path, and all below it | Version |", "|---|---|", *rows])


def _name(shape: Any) -> str:
    if get_origin(shape) is list:
        return f"list of {_name(get_args(shape)[0])}"
    return f"`{shape.__name__}`" if shape else ""
