"""Fixtures around a real Envoy."""

import os
import sys
from pathlib import Path

import pytest

from pointsman.transports.envoy import binary

# Test folders are not packages: this makes ``envoy_lab`` importable from the files beside it.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def envoy_binary() -> Path:
    """The Envoy these tests run."""
    return binary.find(None, os.environ)
