"""Rules that hold for every test."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test states the fact it pins in its docstring."""
    silent = [
        item.nodeid for item in items if isinstance(item, pytest.Function) and not item.function.__doc__
    ]
    if silent:
        raise pytest.UsageError("tests without a docstring:\n  " + "\n  ".join(silent))
