import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pointsman.encoder import EngineMissing, ModelFilesError
from pointsman.encoder.folder import open_folder
from pointsman.encoder.load import open_engine
from pointsman.encoder.openvino_engine import OpenVinoEngine
from unit.encoder import toy

INSTALLED = importlib.util.find_spec("openvino") is not None


class Library:
    """An openvino on a processor with these abilities."""

    def __init__(self, *capabilities: str) -> None:
        self._capabilities = list(capabilities)

    def Core(self) -> "Library":  # noqa: N802  # its name there
        return self

    def get_property(self, device: str, name: str) -> list[str]:
        assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
        return self._capabilities


def test_a_processor_without_bf16_is_told_so() -> None:
    """The engine is not forced onto a processor where it would be slow."""
    with pytest.raises(EngineMissing, match=r"no bf16 \(openvino sees FP32, INT8\)"):
        OpenVinoEngine(b"", dimension=384, threads=1, library=Library("FP32", "INT8"))


@pytest.mark.skipif(INSTALLED, reason="openvino is installed")
def test_without_the_library_the_error_says_how_to_get_it() -> None:
    """The message is the line to type."""
    with pytest.raises(EngineMissing, match=r"pip install 'pointsman\[openvino\]'"):
        OpenVinoEngine(b"", dimension=384, threads=1)


def test_a_folder_without_the_plain_graph_is_told_so(tmp_path: Path) -> None:
    """The engine needs a graph of its own; a folder may lack it."""
    toy.write_manifest(tmp_path)
    folder = open_folder(tmp_path)
    with pytest.raises(ModelFilesError, match=r"no encoder-plain\.onnx"):
        open_engine(folder, "openvino", threads=1)


@pytest.mark.skipif(not INSTALLED, reason="needs openvino")
def test_its_vectors_are_near_those_of_fp32_and_padding_leaves_them_alone(tmp_path: Path) -> None:
    """Cosine 0.99 to the fp32 network, alone as in a padded batch."""
    from pointsman.encoder.ort_engine import OrtEngine  # noqa: PLC0415  # beside its only use

    for precision in ("plain", "fp32"):
        toy.write_network(tmp_path / precision, precision)
    try:
        engine = OpenVinoEngine((tmp_path / "plain").read_bytes(), dimension=384, threads=2)
    except EngineMissing as error:
        pytest.skip(str(error))
    exact = OrtEngine((tmp_path / "fp32").read_bytes(), dimension=384)
    rows = np.array([[101, 2054, 2003, 1996, 102], [101, 7592, 102, 0, 0]], dtype=np.int64)
    mask = (rows != 0).astype(np.int64)
    for row, length in zip(rows, (5, 3), strict=True):
        alone, ones = row[None, :length], np.ones((1, length), np.int64)
        wanted = exact.hidden(alone, ones)[0].mean(axis=0)
        for found in (engine.hidden(alone, ones)[0], engine.hidden(rows, mask)[0 if length == 5 else 1]):
            vector = found[:length].mean(axis=0)
            assert vector @ wanted / np.linalg.norm(vector) / np.linalg.norm(wanted) > 0.99
    assert engine.precision.startswith("openvino-")
