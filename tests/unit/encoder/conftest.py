import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.encoder import Encoder
from pointsman.encoder.folder import open_folder
from pointsman.encoder.model_files import SHIPPED
from unit.encoder import toy


@pytest.fixture(scope="session")
def tuned_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the fine-tuned kind: the shipped one as soon as it is, else one built for the tests."""
    if open_folder(SHIPPED) is not None:
        return SHIPPED
    if not all(map(importlib.util.find_spec, ("onnx", "safetensors"))):
        pytest.skip("the shipped model is of the earlier kind, and building another needs make train's tools")
    folder = tmp_path_factory.mktemp("tuned")
    toy.write_network(folder / "encoder.onnx", "int8")
    shutil.copy(SHIPPED / "tokenizer.json", folder)
    toy.write_heads(folder)
    toy.write_manifest(folder)
    return folder


@pytest.fixture(scope="session")
def tuned(tuned_folder: Path) -> Iterator[Encoder]:
    """One encoder over that folder for all tests that change nothing in it."""
    encoder = Encoder.load(directory=tuned_folder)
    yield encoder
    encoder.close()
