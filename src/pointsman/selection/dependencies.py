"""What algorithms are built from."""

import msgspec

from pointsman.config.document import Settings
from pointsman.config.routing import Routing
from pointsman.core.model import Candidate
from pointsman.fleet.state import Measured
from pointsman.selection.embedder import Embedder


class Dependencies(msgspec.Struct, frozen=True):
    """What algorithms need beside their own settings."""

    encoder: Embedder
    settings: Settings
    routing: Routing
    """The routing that the decision belongs to: its model cards describe the candidates."""
    fleet: Measured
    candidates: tuple[Candidate, ...] = ()
    """The decision's candidates that some endpoint can serve."""
    where: str = "routing"
    """Key path of the decision, for problems."""
