"""Text to word pieces, at a cost that does not grow with the text."""

import hashlib
import os
import re
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer
from tokenizers.normalizers import BertNormalizer

from pointsman.encoder.errors import ModelFilesError

CHARACTERS_PER_SIDE = 2048
"""How much of each end of a long text is tokenised: eight characters for each of 256 word pieces, about
twice what European prose needs. Tokenising is linear in the text even when pieces are thrown away later."""

_PLAIN = re.compile(r"[\t\n\r -~]*")
"""Texts of which a BERT normaliser only lowers the letters; other control characters it takes out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The part of a text that will be read: all of it, or its head and its tail."""

    head: str
    tail: str
    """Empty when `head` is the whole text."""

    def digest(self) -> bytes:
        """Name the reading by content; equal readings give equal encodings, whatever lay between."""
        # The length tells where the tail begins: no text can pass for the two ends of another.
        content = f"{len(self.head)}:{self.head}{self.tail}"
        return hashlib.blake2b(content.encode(), digest_size=16).digest()


def cut(text: str) -> Reading:
    """Keep both ends of a text too long to read, and make what is kept encodable."""
    if len(text) <= 2 * CHARACTERS_PER_SIDE:
        return Reading(head=_encodable(text), tail="")
    return Reading(
        head=_encodable(text[:CHARACTERS_PER_SIDE]),
        tail=_encodable(text[-CHARACTERS_PER_SIDE:]),
    )


class WordPieces:
    """A WordPiece tokenizer (Devlin et al. 2018) bounded to `max_tokens` pieces with both markers."""

    def __init__(self, content: bytes, *, max_tokens: int) -> None:
        # The library would start one thread a core for batches of one, which gain nothing from them.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            self._tokenizer = Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises bare Exception
            raise ModelFilesError(f"not a tokenizer: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # "[SEP]" typed by a user is text, not a marker.
        self._tokenizer.encode_special_tokens = True
        self._lowered = _for_lowered(self._tokenizer)
        self._start = self._marker("[CLS]")
        self._end = self._marker("[SEP]")
        room = max_tokens - 2
        self._head = room // 2 + 1
        self._tail = room - self._head

    def encoded(self, texts: list[str], *, placed: bool) -> list[Encoding]:
        """Tokenise whole texts without markers; `placed` keeps the word and the characters of each piece too.

        Releases the interpreter lock. The texts must hold no lone surrogates.
        """
        tokenizer = self._tokenizer
        if self._lowered is not None and all(map(_PLAIN.fullmatch, texts)):
            tokenizer, texts = self._lowered, [text.lower() for text in texts]
        run = tokenizer.encode_batch if placed else tokenizer.encode_batch_fast
        return list(run(texts, add_special_tokens=False))

    def marked(self, ids: list[int]) -> list[int]:
        """Put the two markers around the pieces of a text."""
        return [self._start, *ids, self._end]

    def fitted(self, first: list[int], last: list[int] | None) -> tuple[list[int], bool]:
        """Choose the pieces of one pass from those of a reading; tells whether some were left out.

        `first` are those of the head, `last` those of the tail, None when the head is the whole text.
        """
        if last is None and len(first) <= self._head + self._tail:
            return first, False
        return first[: self._head] + (first if last is None else last)[-self._tail :], True

    def _marker(self, name: str) -> int:
        number: int | None = self._tokenizer.token_to_id(name)
        if number is None:
            raise ModelFilesError(f"the tokenizer has no {name}")
        return number


def _for_lowered(tokenizer: Tokenizer) -> Tokenizer | None:
    """Give the tokenizer of plain texts in lower case, None if lower case is not all its normaliser makes.

    The library's normaliser rewrites a text letter by letter, four times over, which takes as long as all the
    rest. Model and vocabulary are shared.
    """
    normaliser = tokenizer.normalizer
    extra = [token for token in tokenizer.get_added_tokens_decoder().values() if not token.special]
    if not isinstance(normaliser, BertNormalizer) or not normaliser.lowercase or extra:
        return None
    plain = Tokenizer(tokenizer.model)
    plain.pre_tokenizer = tokenizer.pre_tokenizer
    return plain


def _encodable(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, which JSON escapes can smuggle into a string."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
