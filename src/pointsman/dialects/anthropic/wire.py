"""Reading JSON of either API, so that whatever is wrong is named by its field."""

from typing import Any, TypeVar

import msgspec

from pointsman.core.errors import HttpError, RequestError
from pointsman.dialects.body import Body, parse_object

T = TypeVar("T")

_ANY = msgspec.json.Decoder(Any)


class UpstreamFault(HttpError):
    """The model's server answered with something that is not of its API (502)."""

    status = 502
    type = "upstream_error"


def read(
    raw: bytes | msgspec.Raw,
    decoder: msgspec.json.Decoder[T],
    *,
    path: str = "",
    fault: type[HttpError] = RequestError,
) -> T:
    """Decode a value found at ``path`` of a body; raises ``fault`` naming the field inside it."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _field_fault(str(error), path, fault) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise fault(f"malformed JSON: {error}", param=path or None) from error
    except RecursionError as error:
        raise fault("malformed JSON: nested too deeply", param=path or None) from error


def read_fields(raw: bytes) -> Body:
    """The fields of a JSON object, each known to be readable; raises ``RequestError`` naming one that is not.

    What no one decodes may hold a number out of range or a broken text, which would surface only later.
    """
    body = parse_object(raw)
    for name, value in body.fields.items():
        read(value, _ANY, path=name)
    return body


def write(document: Any, fault: type[HttpError] = RequestError) -> bytes:
    """JSON bytes; raises ``fault`` for what was only just shallow enough to be read."""
    try:
        return msgspec.json.encode(document)
    except RecursionError as error:
        raise fault("malformed JSON: nested too deeply") from error


def _field_fault(message: str, path: str, fault: type[HttpError]) -> HttpError:
    text, _, where = message.partition(" - at `$")
    inner = where.rstrip("`")
    field = f"{path}{inner}".removeprefix(".")
    if text.startswith("Object missing required field"):
        name = text.split("`")[1]
        field = f"{field}.{name}" if field else name
        return fault(f"missing required field: {field}", param=field)
    said = f"{text[0].lower()}{text[1:].replace('`', '')}"
    return fault(f"{field or 'body'}: {said}", param=field or None)
