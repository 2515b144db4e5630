"""Helm values hold the document under ``config``; every other document is bare."""

from pointsman.config.tree import Node


def unwrap(root: Node) -> Node:
    """The document itself where Helm values hold it under ``config``; chart keys beside it are not ours."""
    if not isinstance(root.value, dict):
        return root
    inner = root.value.get("config")
    bare = root.value.keys() & {"version", "routing", "providers"}
    return inner if inner is not None and isinstance(inner.value, dict) and not bare else root
