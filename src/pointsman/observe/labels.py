"""The guard every metric label passes, so that no client can make the metrics grow without bound."""

OTHER = "other"
"""What values past the limit are counted as."""
NONE = "none"
"""What an empty value is counted as: a label without a value cannot be told from a missing label."""


class Labels:
    """Lets the first `limit` values of each label through; later ones become `other`.

    Values are known for the lifetime of the process: a name that was seen once keeps its own series.
    """

    def __init__(self, *, limit: int = 200, max_length: int = 120) -> None:
        if limit < 1 or max_length < 1:
            raise ValueError(f"limit and max_length must be at least 1: {limit}, {max_length}")
        self._limit = limit
        self._max_length = max_length
        self._seen: dict[str, set[str]] = {}

    def fit(self, label: str, value: str) -> str:
        """The value as it may be used: at most `max_length` characters, or `none`, or `other`."""
        value = _printable(value[: self._max_length]) or NONE
        seen = self._seen.setdefault(label, set())
        if value in seen or value in {NONE, OTHER}:
            return value
        if len(seen) >= self._limit:
            return OTHER
        seen.add(value)
        return value


def _printable(value: str) -> str:
    # Prometheus text is UTF-8: half a surrogate pair, which JSON can carry, would make every scrape fail.
    return value.encode("utf-8", "replace").decode("utf-8")
