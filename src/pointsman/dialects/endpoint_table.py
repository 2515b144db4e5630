"""The table of endpoints in ``docs/endpoints.md``."""

from pointsman.core.request import Dialect
from pointsman.dialects.endpoints import ENDPOINTS
from pointsman.dialects.forwarded import OPERATORS

_READS = {
    Dialect.OPENAI_CHAT: "OpenAI chat",
    Dialect.OPENAI_COMPLETIONS: "OpenAI completions",
    Dialect.OPENAI_EMBEDDINGS: "OpenAI embeddings",
    Dialect.OPENAI_RESPONSES: "OpenAI responses",
    Dialect.ANTHROPIC_MESSAGES: "Anthropic messages",
    Dialect.ENGINE: "JSON or a form with `model`",
}


def endpoint_table() -> str:
    """Every path with what is read of it and which models it takes, as a Markdown table."""
    rows = [
        f"| `POST {endpoint.path}` | {_READS[endpoint.dialect]} | "
        f"{'virtual, or ' if not endpoint.wants else ''}{endpoint.wants or 'any model'} | "
        f"{endpoint.unknown_model} |"
        for endpoint in ENDPOINTS.values()
    ]
    return "\n".join(["| path | body | model | unknown model |", "|---|---|---|---|", *rows])


def operators_list() -> str:
    """What is never sent on."""
    return ", ".join(f"`{path}`" for path in sorted(OPERATORS))
