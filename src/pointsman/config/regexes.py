"""Whether a regular expression runs on RE2, said in plain words."""

import re
from typing import Final

import re2

_FEATURES: Final = (
    (re.compile(r"(?<!\\)\(\?(?:=|!|<=|<!)"), "looks ahead or behind"),
    (re.compile(r"\\[1-9]|\(\?P="), "refers back to a group"),
    (re.compile(r"\(\?>|[*+?}]\+"), "uses an atomic group or a possessive repetition"),
    (re.compile(r"\(\?\("), "has a condition"),
)
_LINEAR: Final = "rewrite it without: patterns must run in time linear in the text (RE2 syntax)"
_MAX_LENGTH: Final = 10_000


def complaint(pattern: str) -> tuple[str, str] | None:
    """Message and remedy for a pattern that cannot be used; ``None`` for one that can."""
    if len(pattern) > _MAX_LENGTH:
        return f"the pattern is longer than {_MAX_LENGTH} characters", "split it into several"
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        for feature, words in _FEATURES:
            if feature.search(pattern):
                return f"the pattern {pattern[:60]!r} {words}", _LINEAR
        reason = error.args[0] if error.args else "invalid"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        return (
            f"the pattern {pattern[:60]!r} is no regular expression: {text}",
            "put a \\ before literal symbols",
        )
    except UnicodeError:
        return "the pattern has characters that are no text", "retype it"
    return None
