"""A multipart form whose parts stay as the bytes they came in, so that an edit touches nothing else.

What could be read in two ways is refused: the engine must not see another model than we did.
"""

import re
from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.dialects.body import Body

MAX_PARTS = 256
"""Parts of one form; a form of an API has a dozen."""
_MAX_TYPE = 256
"""Characters of a content type."""
_MAX_HEAD = 8192
"""Bytes of a part's own headers."""
_TYPE = re.compile(
    r'multipart/form-data\s*;\s*boundary=(?:"([^"\\\r\n]{1,70})"|([^\s;"]{1,70}))\s*;?\s*\Z', re.IGNORECASE
)
_DISPOSITION = re.compile(
    r'form-data\s*;\s*name="([^"\\\r\n]*)"\s*(?:;\s*(filename)="[^"\r\n]*"\s*)?(?:;\s*filename\*=[^\s;"]+\s*)?\Z',
    re.IGNORECASE,
)
_SINGLE = frozenset({"model", "prompt"})
"""Fields that must not come twice."""


class Part(msgspec.Struct, frozen=True):
    """One part."""

    name: str
    head: bytes
    """Its header lines, without the blank line."""
    content: bytes
    file: bool = False
    """Whether it is a file."""


class Form(Body, frozen=True):
    """The text fields of a form, read and edited as those of a JSON object; a repeated one is a list."""

    parts: tuple[Part, ...] = ()
    boundary: bytes = b""
    epilogue: bytes = b""

    def with_field(self, name: str, value: Any) -> "Form":
        """A copy in which a text field says ``value``; its parts keep their place and headers."""
        texts = [str(one).encode() for one in (value if isinstance(value, list) else [value])]
        parts = []
        for part in self.parts:
            if part.name != name or part.file:
                parts.append(part)
            elif texts:
                parts.append(msgspec.structs.replace(part, content=texts.pop(0)))
        head = f'Content-Disposition: form-data; name="{name}"'.encode()
        return self._with((*parts, *(Part(name, head, text) for text in texts)))

    def without(self, *names: str) -> "Form":
        """A copy that lacks the named fields."""
        return self._with(tuple(part for part in self.parts if part.name not in names))

    def encode(self) -> bytes:
        """The form as bytes; unedited, those that were received."""
        line = b"--" + self.boundary
        pieces = [line + b"\r\n" + part.head + b"\r\n\r\n" + part.content + b"\r\n" for part in self.parts]
        return b"".join(pieces) + line + b"--" + self.epilogue

    def _with(self, parts: tuple[Part, ...]) -> "Form":
        return Form(_fields(parts), parts, self.boundary, self.epilogue)


def boundary_of(content_type: str) -> str:
    """The boundary in a content type; empty for any other type than a form's.

    Raises ``RequestError`` for a form whose boundary cannot be told.
    """
    if not content_type.lstrip().lower().startswith("multipart/form-data"):
        return ""
    found = _TYPE.match(content_type.strip()) if len(content_type) <= _MAX_TYPE else None
    if found is None:
        raise RequestError("content-type: multipart/form-data needs one boundary and no other parameter")
    return found[1] or found[2]


def parse_form(raw: bytes, boundary: str) -> Form:
    """Split a form into its parts. Raises ``RequestError`` for anything that is not plainly one."""
    line = b"--" + boundary.encode("latin-1", "replace")
    if not raw.startswith(line + b"\r\n"):
        raise _malformed("it does not begin with its boundary")
    parts: list[Part] = []
    start = len(line) + 2
    while True:
        if len(parts) >= MAX_PARTS:
            raise _malformed(f"it has more than {MAX_PARTS} parts")
        end = raw.find(b"\r\n" + line, start)
        if end < 0:
            raise _malformed("its last boundary is missing")
        parts.append(_part(raw, start, end))
        start = end + 2 + len(line)
        after = raw[start : start + 2]
        start += 2
        if after == b"--":
            break
        if after != b"\r\n":
            raise _malformed("a boundary is followed by something else")
    for name in _SINGLE:
        if sum(part.name == name for part in parts) > 1:
            raise RequestError(f"{name}: is given more than once", param=name)
    return Form(_fields(tuple(parts)), tuple(parts), line[2:], raw[start:])


def _part(raw: bytes, start: int, end: int) -> Part:
    blank = raw.find(b"\r\n\r\n", start, min(end, start + _MAX_HEAD))
    if blank < 0:
        raise _malformed("a part has no headers, or too many")
    head = raw[start:blank]
    named: dict[str, str] = {}
    for written in head.decode("utf-8", "replace").split("\r\n"):
        key, colon, value = written.partition(":")
        if not colon or key.strip().lower() in named:
            raise _malformed("a part's headers are not plain")
        named[key.strip().lower()] = value.strip()
    found = _DISPOSITION.match(named.get("content-disposition", ""))
    if found is None:
        raise _malformed("a part's content-disposition is not plain")
    if named.get("content-transfer-encoding", "binary").lower() not in {"binary", "8bit", "7bit"}:
        raise _malformed("a part has a transfer encoding")
    file = found[2] is not None or "filename" in named["content-disposition"].lower()
    if file and found[1] in _SINGLE:
        raise RequestError(f"{found[1]}: must be a text, not a file", param=found[1])
    return Part(found[1], head, raw[blank + 4 : end], file)


def _fields(parts: tuple[Part, ...]) -> dict[str, msgspec.Raw]:
    texts: dict[str, list[str]] = {}
    for part in parts:
        if part.file:
            continue
        try:
            texts.setdefault(part.name, []).append(part.content.decode())
        except UnicodeDecodeError:
            raise RequestError(f"{part.name}: is not UTF-8", param=part.name) from None
    return {
        name: msgspec.Raw(msgspec.json.encode(said[0] if len(said) == 1 else said))
        for name, said in texts.items()
    }


def _malformed(why: str) -> RequestError:
    return RequestError(f"malformed multipart form: {why}")
