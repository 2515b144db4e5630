"""What is a credential, and how it is kept out of everything that people read."""

import re
from typing import Any, Final

MASK: Final = "**********"
CREDENTIAL_NAME: Final = re.compile(
    r"(?i)(api|access|private|signing|encryption)[-_]?key$|secret|passw(or)?d|credential|(^|[-_])auth(orization)?$"
    r"|(^|[-_.])token$"
)
"""Keys and headers that carry credentials."""
_VARIABLE: Final = re.compile(
    r"(?i)(^|_)(key|keys|pass|pwd|pat|auth|dsn|cred|creds|apikey)(_|\d|$)|secret|token(?!s|_count|_limit)|passw|credential"
)
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_LOOKS: Final = re.compile(r"(?i)^(bearer|basic) |^(sk|hf|ghp|xox.)[-_]|://[^/]*@|[A-Za-z0-9_+/=-]{32,}")
_SHORTEST: Final = 6


def variable_holds_secret(name: str, value: str) -> bool:
    """Whether a variable of this name holds a secret; short values are too common to be kept out of texts."""
    return len(value) >= _SHORTEST and bool(_VARIABLE.search(name))


def looks_secret(value: Any) -> bool:
    """Whether a value has the form of a key, token or URL with a password."""
    return isinstance(value, str) and bool(_LOOKS.search(value))


def scrub(text: str, secrets: frozenset[str]) -> str:
    """``text`` with every secret value replaced by asterisks, longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def mask_tree(value: Any, secrets: frozenset[str] = frozenset()) -> Any:
    """JSON-like data with asterisks for what its keys call credentials, and for ``secrets`` anywhere."""
    if isinstance(value, dict):
        named = bool(CREDENTIAL_NAME.search(str(value.get("name", ""))))
        return {
            key: MASK
            if _is_credential(key, inner) or (named and key == "value")
            else mask_tree(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask_tree(item, secrets) for item in value]
    return scrub(_USERINFO.sub(MASK, value), secrets) if isinstance(value, str) else value


def _is_credential(key: str, value: Any) -> bool:
    return isinstance(value, (str, int)) and value != "" and bool(CREDENTIAL_NAME.search(key))
