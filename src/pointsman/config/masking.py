"""A document without its secrets, fit to be shown."""

import re
from typing import Any, Final

from pointsman.config.document import Settings
from pointsman.config.environment import CREDENTIAL_NAME, scrub

MASK: Final = "**********"
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def masked(settings: Settings, *, defaults: bool = False) -> dict[str, Any]:
    """The document as JSON-ready data with asterisks for secrets; with ``defaults``, every key.

    Secret are: fields of that type, values beside a credential's name (keys, headers), user names and
    passwords in URLs, and whatever came from an environment variable named like a credential.
    """
    dumped = settings.model_dump(mode="json", by_alias=True, exclude_unset=not defaults)
    shown: dict[str, Any] = _mask(dumped, settings.secrets)
    return shown


def _mask(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, dict):
        named = isinstance(value.get("name"), str) and CREDENTIAL_NAME.search(value["name"])
        return {
            key: MASK if _is_credential(key, inner) or (named and key == "value") else _mask(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask(item, secrets) for item in value]
    if isinstance(value, str):
        return scrub(_USERINFO.sub(MASK, value), secrets)
    return value


def _is_credential(key: str, value: Any) -> bool:
    """Whether a key holds a credential; ``api_key_env`` and the like only name a variable."""
    return isinstance(value, str) and bool(value and CREDENTIAL_NAME.search(key)) and not key.endswith("_env")
