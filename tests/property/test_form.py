"""Forms against the parser of Python's own e-mail package."""

from email.parser import BytesParser
from email.policy import HTTP

from hypothesis import given
from hypothesis import strategies as st

from pointsman.dialects.form import parse_form

BOUNDARY = "q9z"
NAMES = st.text("abc[]_", min_size=1, max_size=5)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda text: "--q9z" not in text
)
FILES = st.binary(max_size=60).filter(lambda data: b"--q9z" not in data)


def _part(name: str, value: bytes, *, file: bool) -> bytes:
    more = '; filename="f"' if file else ""
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n'
    return f"--{BOUNDARY}\r\n{head}\r\n".encode() + value + b"\r\n"


def _oracle(raw: bytes) -> list[tuple[str, bytes]]:
    head = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found.append((str(name), part.get_payload(decode=True)))
    return found


@given(st.lists(st.tuples(NAMES, TEXTS, st.booleans()), min_size=1, max_size=6), FILES)
def test_parts_are_those_another_parser_finds(fields: list[tuple[str, str, bool]], data: bytes) -> None:
    """Names and bytes of every part, in order, and the same form when it is put together again."""
    pieces = [_part(name, text.encode(), file=file) for name, text, file in fields]
    raw = b"".join([*pieces, _part("data", data, file=True)]) + f"--{BOUNDARY}--\r\n".encode()
    found = parse_form(raw, BOUNDARY)
    # The e-mail parser ends lines at a lone CR or LF, too: compared is what it cannot misread.
    if not any(sign in text for _, text, _ in fields for sign in "\r\n") and not {10, 13} & {*data}:
        assert [(part.name, part.content) for part in found.parts] == _oracle(raw)
    assert found.encode() == raw
    for name in found.fields:
        assert found.with_field(name, found.get(name)).encode() == raw
