"""A document without its secrets, fit to be shown."""

from typing import Any

from pointsman.config.credentials import mask_tree
from pointsman.config.document import Settings


def masked(settings: Settings, *, defaults: bool = False) -> dict[str, Any]:
    """The document as JSON-ready data with asterisks for secrets; with ``defaults``, every key.

    Secret are: fields of that type, values beside a credential's name (keys, headers), user names and
    passwords in URLs, and whatever came from an environment variable named like a credential.
    """
    dumped = settings.model_dump(mode="json", by_alias=True, exclude_unset=not defaults)
    shown: dict[str, Any] = mask_tree(dumped, settings.secrets)
    return shown
