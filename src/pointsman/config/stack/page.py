"""The table of flags for the documentation."""

from pointsman.config.stack.flag import Flag, Kind
from pointsman.config.stack.flags import FLAGS


def table() -> str:
    """A Markdown table of every flag: what it takes, its default, and what it is called in our document."""
    rows = ["| Flag | Takes | Default | Here |", "|---|---|---|---|"]
    rows += [f"| `{flag.option}` | {_takes(flag)} | {_default(flag)} | {_here(flag)} |" for flag in FLAGS]
    return "\n".join(rows) + "\n"


def _takes(flag: Flag) -> str:
    if flag.choices:
        return ", ".join(f"`{choice}`" for choice in flag.choices)
    return str(flag.kind)


def _default(flag: Flag) -> str:
    if flag.kind is Kind.SWITCH:
        return "off"
    return f"`{flag.default}`" if flag.default not in (None, "", ()) else "-"


def _here(flag: Flag) -> str:
    if flag.meanwhile:
        return f"no effect: {flag.meanwhile}"
    if flag.ours.startswith("("):
        return flag.ours.strip("()")
    return ", ".join(f"`{key.strip()}`" for key in flag.ours.split(","))
