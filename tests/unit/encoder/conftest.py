from collections.abc import Iterator

import pytest

from pointsman.encoder import Encoder


@pytest.fixture(scope="session")
def shipped() -> Iterator[Encoder]:
    """One encoder over the shipped folder for all tests that change nothing in it."""
    encoder = Encoder.load()
    yield encoder
    encoder.close()
