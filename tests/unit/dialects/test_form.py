"""Multipart forms: read without guessing, edited in place, refused where two readers could differ."""

import pytest

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.dialects import engine
from pointsman.dialects.form import MAX_PARTS, boundary_of, parse_form
from pointsman.dialects.request_body import body_of

SOUND = bytes(range(256)) * 40 + b"\r\n--"
B = "xyz"


def form(*parts: bytes, end: bytes = b"--xyz--\r\n") -> bytes:
    return b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + end


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


FILE = field("file", SOUND, '; filename="a.wav"\r\nContent-Type: audio/wav')
WHOLE = form(FILE, field("model", b"whisper"), field("words[]", b"a"), field("words[]", b"b"))


def test_text_fields_are_read_and_files_are_not() -> None:
    """The model comes after the file; what is repeated is a list."""
    found = parse_form(WHOLE, B)
    assert set(found.fields) == {"model", "words[]"}
    assert (found.get("model"), found.get("words[]")) == ("whisper", ["a", "b"])


def test_an_unedited_form_is_the_bytes_received() -> None:
    """Splitting and joining loses nothing, epilogue included."""
    assert parse_form(WHOLE + b"rest", B).encode() == WHOLE + b"rest"


def test_an_edit_touches_its_own_part_only() -> None:
    """The file, its headers and the order stay."""
    edited = parse_form(WHOLE, B).with_field("model", "tiny/whisper")
    assert edited.encode() == WHOLE.replace(b"\r\n\r\nwhisper\r\n", b"\r\n\r\ntiny/whisper\r\n")
    assert edited.get("model") == "tiny/whisper"
    repeated = parse_form(WHOLE, B).with_field("words[]", ["a", "c"])
    assert repeated.encode() == WHOLE.replace(b"\r\n\r\nb\r\n", b"\r\n\r\nc\r\n")


def test_fields_are_added_and_removed() -> None:
    """A new field comes last; a removed one leaves the rest as it was."""
    found = parse_form(form(FILE), B)
    more = found.with_field("model", "m")
    assert more.encode() == form(FILE, field("model", b"m"))
    assert more.without("model").encode() == form(FILE)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "begin"),
        (b"preamble\r\n" + form(field("model", b"m")), "begin"),
        (form(field("model", b"m"), end=b""), "last boundary"),
        (form(field("model", b"m"), end=b"--xyzz--"), "something else"),
        (form(field("model", b"a"), field("model", b"b")), "more than once"),
        (form(field("prompt", b"a"), field("prompt", b"b")), "more than once"),
        (form(b"no headers"), "headers"),
        (form(b"Content-Disposition: form-data; name=model\r\n\r\nm"), "not plain"),
        (form(b'Content-Disposition: attachment; name="model"\r\n\r\nm'), "not plain"),
        (form(b'Content-Disposition: form-data; name="mo\\"del"\r\n\r\nm'), "not plain"),
        (form(field("model", b"m", '\r\nContent-Disposition: form-data; name="x"')), "not plain"),
        (form(field("model", b"bQ==", "\r\nContent-Transfer-Encoding: base64")), "transfer encoding"),
        (form(field("model", b"m", '; filename="m"')), "not a file"),
        (form(field("model", b"m", "; filename*=utf-8''m")), "not a file"),
        (form(field("model", b"\xff")), "UTF-8"),
        (form(*[field("a", b"b")] * (MAX_PARTS + 1)), "more than 256 parts"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(raw: bytes, says: str) -> None:
    """The engine must not see another model than the one that was checked."""
    with pytest.raises(RequestError, match=says):
        parse_form(raw, B)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=xyz", "xyz"),
        ('Multipart/Form-Data;boundary="x y"', "x y"),
        ("application/json", ""),
        ("", ""),
    ],
)
def test_the_boundary_is_in_the_content_type(content_type: str, boundary: str) -> None:
    """Quoted or not; other types have none."""
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; x=1; boundary=a",
        "multipart/form-data; boundary=a" + " " * 60_000 + "b",
    ],
)
def test_a_boundary_that_cannot_be_told_is_refused(content_type: str) -> None:
    """None, two of them, or something before it."""
    with pytest.raises(RequestError, match="boundary"):
        boundary_of(content_type)


def head(**headers: str) -> Head:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Head("POST", "/v1/audio/transcriptions", named)


def test_a_form_becomes_a_request() -> None:
    """Its model and whether it asks for a stream."""
    raw = form(FILE, field("model", b"w"), field("stream", b"true"))
    request = engine.understand(head(content_type="multipart/form-data; boundary=xyz"), raw)
    assert (request.model, request.stream, request.dialect) == ("w", True, Dialect.ENGINE)
    assert body_of(request).get("model") == "w"


@pytest.mark.parametrize(
    ("raw", "content_type", "model", "opaque"),
    [
        (b"", "", "", False),
        (b'{"model": "m", "x": [1]}', "", "m", False),
        (b'{"x": 1}', "application/json", "", False),
        (b"\x00\x01", "application/octet-stream", "", True),
        (b"[1]", "text/plain", "", True),
    ],
)
def test_any_body_is_read_as_far_as_it_can_be(
    raw: bytes, content_type: str, model: str, *, opaque: bool
) -> None:
    """A JSON object is one whatever its content type says; anything else is not read."""
    request = engine.understand_any(head(content_type=content_type), raw)
    assert (request.model, request.opaque) == (model, opaque)
    assert isinstance(request, ChatRequest)


@pytest.mark.parametrize(
    "raw", [b"{", b"[1]", b'{"model": 5}', b'{"model": ""}', b'{"model": "m", "messages": "x"}']
)
def test_json_that_is_wrong_is_refused(raw: bytes) -> None:
    """What says it is JSON is a JSON object whose known fields have their types."""
    with pytest.raises(RequestError):
        engine.understand_any(head(content_type="application/json"), raw)


def test_a_header_names_the_model_where_the_body_does_not() -> None:
    """The body's word comes first."""
    assert engine.understand_any(head(x_gateway_model_name="h"), b"").model == "h"
    assert engine.understand_any(head(x_gateway_model_name="h"), b'{"model":"b"}').model == "b"
