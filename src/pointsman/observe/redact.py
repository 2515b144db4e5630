"""Keeping secrets and prompts out of whatever leaves the process for an operator's eyes."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HIDDEN = "[redacted]"
WITHHELD = "[withheld]"
"""Stands for text a client wrote."""

MIN_SECRET = 4
"""Registered values shorter than this are not searched for: they would blot out ordinary text."""

_SECRET_KEY = re.compile(
    r"authorization|api[-_]?key|credential|passw(or)?d|secret|cookie|bearer"
    r"|(^|[-_.])(access|auth|private|signing|encryption)[-_]key$"
    r"|(^|[-_])token$|^x-user-.+-key$",
    re.IGNORECASE,
)
_NAMES_A_PLACE = re.compile(r"[-_](env|env[-_]var|file|path|name)$", re.IGNORECASE)
_PROMPT_KEYS = frozenset({"prompt", "messages", "content", "text", "texts", "body", "raw", "input", "query"})
_USERINFO = re.compile(r"(?<=://)[^\s/@\"']+(?=@)")


class Redactor:
    """Hides values under secret-looking keys, registered secrets wherever they appear, and URL passwords.

    `register` may be called again when a new configuration brings new secrets; nothing is ever unlearned.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.register(secrets)

    def register(self, secrets: Iterable[str]) -> None:
        """Remember values that must never be shown, as they are and as JSON or Python would escape them."""
        self._secrets |= {secret.strip() for secret in secrets if len(secret.strip()) >= MIN_SECRET}
        spellings = {spelling for secret in self._secrets for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def scrub(self, text: str) -> str:
        """The text without registered secrets and without user names and passwords in URLs."""
        if "://" in text and "@" in text:
            text = _USERINFO.sub(HIDDEN, text)
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def mask(self, document: Any) -> Any:
        """A copy of a document of mappings, sequences and scalars with its secrets hidden."""
        return self._walk(document, secret=False)

    def _walk(self, value: Any, *, secret: bool) -> Any:
        if isinstance(value, Mapping):
            return {
                self.scrub(str(key)): self._walk(item, secret=secret or is_secret_key(str(key)))
                for key, item in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
            return [self._walk(item, secret=secret) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if secret:
            # An empty value is kept: that a secret is missing is what someone reading the document looks for.
            return HIDDEN if value != "" else value
        return self.scrub(str(value)) if isinstance(value, str) or str(value) in self._secrets else value


def is_secret_key(key: str) -> bool:
    """Whether what stands under this key is a secret (`api_key`), not where to find one (`api_key_env`)."""
    return bool(_SECRET_KEY.search(key)) and not _NAMES_A_PLACE.search(key)


def is_prompt_key(key: str) -> bool:
    """Whether what stands under this key may be text a client wrote."""
    return key.lower() in _PROMPT_KEYS


def _spellings(secret: str) -> set[str]:
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
