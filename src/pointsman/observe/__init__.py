"""What can be seen from outside: metrics, logs, and one line for each request.

`Metrics` counts, `Journal` joins a ruling with what became of the request, `configure_logs` says how lines
look, and `Redactor` keeps secrets out of all of them.
"""

from pointsman.observe.journal import Entry, Journal
from pointsman.observe.labels import Labels
from pointsman.observe.logs import configure_logs
from pointsman.observe.metrics import Metrics
from pointsman.observe.outcome import Outcome
from pointsman.observe.redact import Redactor

__all__ = ["Entry", "Journal", "Labels", "Metrics", "Outcome", "Redactor", "configure_logs"]
