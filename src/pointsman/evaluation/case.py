"""Requests with what they should lead to, one JSON object a line."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from pointsman.core.errors import PointsmanError
from pointsman.core.request import Head

CHAT_PATH: Final = "/v1/chat/completions"
MOST_CASES: Final = 100_000
"""Cases of one file; each keeps its request and its outcome in memory."""
_PROBLEMS_SHOWN: Final = 20


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """What should become of a request; what is left out is not judged."""

    decision: str | msgspec.UnsetType | None = msgspec.UNSET
    """The decision that should win; ``None``: none should."""
    model: str | msgspec.UnsetType = msgspec.UNSET
    """The model or adapter that should be selected."""
    signals: tuple[str, ...] = ()
    """Signals that should match, as ``family:name``."""
    not_signals: tuple[str, ...] = ()
    """Signals that should not match."""
    reply: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether the router should answer by itself, without a model."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what it should lead to. Exactly one of text, messages and body is given."""

    expect: Expect
    text: str | None = None
    """The prompt of a chat request with one user message."""
    messages: tuple[dict[str, Any], ...] | None = None
    """The messages of a chat request."""
    body: dict[str, Any] | None = None
    """A whole request, for ``path``."""
    model: str = ""
    """The model the client asks for; empty asks for the virtual one."""
    headers: Mapping[str, str] = {}
    path: str = CHAT_PATH
    lang: str = ""
    """Label of the language, free text: results are told apart by it."""
    tags: tuple[str, ...] = ()
    """Labels results are told apart by."""

    def request(self, virtual: str) -> tuple[Head, bytes]:
        """What the client sends; ``virtual`` is the model asked for where the case names none."""
        body: dict[str, Any] = (
            {"messages": self._turns(), "model": virtual}
            if self.body is None
            else {"model": virtual, **self.body}
        )
        if self.model:
            body["model"] = self.model
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Head("POST", self.path, headers), msgspec.json.encode(body)

    @property
    def shown(self) -> str:
        """The request for people: the prompt, the last message, or the body as JSON."""
        if self.text is not None:
            return self.text
        if self.messages:
            content = self.messages[-1].get("content")
            return content if isinstance(content, str) else msgspec.json.encode(content).decode()
        return msgspec.json.encode(self.body).decode()

    def _turns(self) -> list[dict[str, Any]]:
        if self.text is not None:
            return [{"role": "user", "content": self.text}]
        return list(self.messages or ())


class Numbered(msgspec.Struct, frozen=True):
    """A case and the line of its file."""

    line: int
    case: Case


class BadLine(msgspec.Struct, frozen=True):
    """What is wrong with one line."""

    line: int
    message: str


class BadCases(PointsmanError):
    """A file of cases that cannot be evaluated; carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[BadLine], source: str) -> None:
        self.problems = tuple(problems)
        lines = [f"{source}:{each.line}: {each.message}" for each in self.problems[:_PROBLEMS_SHOWN]]
        if len(self.problems) > _PROBLEMS_SHOWN:
            lines.append(f"{len(self.problems) - _PROBLEMS_SHOWN} more")
        super().__init__("\n".join(lines))


def read_cases(text: str, source: str = "cases", *, most: int = MOST_CASES) -> tuple[Numbered, ...]:
    """The cases of a file; empty lines and lines that begin with ``//`` or ``#`` are skipped.

    Raises ``BadCases`` with the number and the fault of each bad line, and when there is no case or more
    than ``most``.
    """
    cases: list[Numbered] = []
    problems: list[BadLine] = []
    # Not splitlines: a JSON string may hold U+2028 and its kin, which are no ends of lines here.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith(("//", "#")):
            continue
        if len(cases) + len(problems) >= most:
            problems.append(BadLine(number, f"more than {most} cases: split the file"))
            break
        try:
            cases.append(Numbered(number, _case(line)))
        except ValueError as error:
            problems.append(BadLine(number, str(error)))
    if not cases and not problems:
        problems.append(BadLine(1, 'no cases: write one a line, such as {"text": "...", "expect": {...}}'))
    if problems:
        raise BadCases(problems, source)
    return tuple(cases)


def _case(line: str) -> Case:
    try:
        written = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.ValidationError:
        raise ValueError("a case is a JSON object") from None
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"no JSON: {error}") from None
    faults = [*_unknown(written, Case, ""), *_unknown(written.get("expect"), Expect, "expect.")]
    if faults:
        raise ValueError(faults[0])
    try:
        case = msgspec.convert(written, Case)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace(" - at `$.", " - at `")) from None
    _check(case)
    return case


def _unknown(written: Any, kind: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    known = kind.__struct_fields__
    for key in written if isinstance(written, dict) else ():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            remedy = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(known)}"
            yield f"{prefix}{key} means nothing in a case: {remedy}"


def _check(case: Case) -> None:
    given = [name for name in ("text", "messages", "body") if getattr(case, name) is not None]
    if len(given) != 1:
        raise ValueError(
            f"exactly one of text, messages and body is needed, got {' and '.join(given) or 'none'}"
        )
    if case.expect == Expect():
        raise ValueError("expect is empty: name at least one of " + ", ".join(Expect.__struct_fields__))
    for key in (*case.expect.signals, *case.expect.not_signals):
        family, colon, name = key.partition(":")
        if not (family and colon and name):
            raise ValueError(f"signal {key!r} has no family: write it as domain:math")
    both = sorted(set(case.expect.signals) & set(case.expect.not_signals))
    if both:
        raise ValueError(f"signal {both[0]!r} is in signals and in not_signals")
