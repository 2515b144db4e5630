"""Documents from before v0.3 (the flat eras A, B and C), rewritten as v0.3."""

from pointsman.config.migration.flat import is_flat
from pointsman.config.migration.ledger import Change, Migration
from pointsman.config.migration.migrate import migrate
from pointsman.config.migration.origin import at_origin, lines_of
from pointsman.config.migration.rewrite import rewrite

__all__ = ["Change", "Migration", "at_origin", "is_flat", "lines_of", "migrate", "rewrite"]
