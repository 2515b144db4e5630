"""A JSON object whose values stay as the bytes they came in, so that an edit touches nothing else.

Numbers keep their spelling, unknown vendor fields survive, and only edited fields are encoded anew.
"""

from typing import Any, TypeVar

import msgspec

from pointsman.core.errors import RequestError

T = TypeVar("T")

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class Body(msgspec.Struct, frozen=True):
    """The top level of a JSON object, each value still encoded."""

    fields: dict[str, msgspec.Raw]

    def get(self, name: str) -> Any:
        """The decoded value of a field, or ``None``."""
        raw = self.fields.get(name)
        return None if raw is None else msgspec.json.decode(raw)

    def items(self, name: str) -> list[msgspec.Raw]:
        """The elements of an array field, each still encoded; empty when absent or ``null``."""
        raw = self.fields.get(name)
        return [] if raw is None or bytes(raw) == b"null" else _ARRAY.decode(raw)

    def with_field(self, name: str, value: Any) -> "Body":
        """A copy with one field set; its place is kept when it existed, else it is appended."""
        return Body({**self.fields, name: msgspec.Raw(msgspec.json.encode(value))})

    def without(self, *names: str) -> "Body":
        """A copy that lacks the named fields."""
        return Body({key: raw for key, raw in self.fields.items() if key not in names})

    def encode(self) -> bytes:
        """The object as JSON bytes."""
        return msgspec.json.encode(self.fields)


def parse_object(raw: bytes) -> Body:
    """Split a JSON object into its fields.

    Raises ``RequestError`` for anything that is not a JSON object.
    """
    return Body(decode(raw, _OBJECT))


def decode(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode, turning every way a body can be wrong into a ``RequestError`` that names the field."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _field_error(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"malformed JSON body: {error}") from error
    except RecursionError as error:
        raise RequestError("malformed JSON body: nested too deeply") from error


def _field_error(message: str) -> RequestError:
    """``Expected `str`, got `int` - at `$.model``` and the like, as a sentence with its field."""
    text, _, where = message.partition(" - at `$")
    param = where.rstrip("`").removeprefix(".") or None
    if text.startswith("Object missing required field"):
        name = text.split("`")[1]
        param = f"{param}.{name}" if param else name
        return RequestError(f"missing required field: {param}", param=param)
    return RequestError(f"{param or 'body'}: {text[0].lower()}{text[1:].replace('`', '')}", param=param)
