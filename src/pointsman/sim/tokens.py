"""The simulator's tokeniser: deterministic, reversible, about four characters a token."""

import re

# A blank, if any, and up to five printable ASCII characters (so at most six bytes), or any one character.
# A line break stands alone, so the tokens of an answer stay the same when it is part of the next prompt.
_PIECE = re.compile(r"[ \t]?[!-~]{1,5}|[\s\S]")
_MARK = b"\x01"  # keeps leading zero bytes when a piece becomes an integer
_MAX_ID_BYTES = 7


def split(text: str) -> list[str]:
    """Cut text into its tokens; they concatenate to the text."""
    return _PIECE.findall(text)


def ids(text: str) -> list[int]:
    """Token ids of a text. They are the tokens' own bytes, hence the same in every process."""
    return [id_of(piece) for piece in split(text)]


def id_of(piece: str) -> int:
    """The id of one token."""
    return int.from_bytes(_MARK + piece.encode())


def text_of(token_ids: list[int]) -> str:
    """The text of token ids; an id that this tokeniser never made becomes U+FFFD."""
    return "".join(_piece_of(token_id) for token_id in token_ids)


def _piece_of(token_id: int) -> str:
    size = (token_id.bit_length() + 7) // 8 if token_id > 0 else 0
    if not 1 < size <= _MAX_ID_BYTES:
        return "\ufffd"
    packed = token_id.to_bytes(size)
    if packed[:1] != _MARK:
        return "\ufffd"
    return packed[1:].decode(errors="replace")
