"""Which headers say who asks."""

from pointsman.config.document import Settings
from pointsman.dialects.identity import IdentityHeaders


def identity_headers(settings: Settings) -> IdentityHeaders:
    """The document's names, in lower case."""
    names = settings.global_.services.authz.identity
    return IdentityHeaders(user=names.user_id_header.lower(), groups=names.user_groups_header.lower())
