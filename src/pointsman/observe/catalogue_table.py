"""The table of metrics in `docs/metrics.md`."""

from pointsman.observe.catalogue import CATALOGUE


def metrics_table() -> str:
    """Every metric with its type, labels and meaning, as a Markdown table."""
    rows = [
        f"| `{spec.name}` | {spec.kind} | {', '.join(f'`{label}`' for label in spec.labels)} | {spec.help} |"
        for spec in CATALOGUE
    ]
    return "\n".join(["| Metric | Type | Labels | Meaning |", "|---|---|---|---|", *rows])
