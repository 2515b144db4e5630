"""An optional engine: OpenVINO, on processors that multiply in bf16.

It rounds activations in small groups, each with its own scale, so its vectors are nearer to fp32 than those
of the default engine, for somewhat more time (docs/benchmarks.md).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import local
from typing import Any, cast

import numpy as np

from pointsman.encoder.engine import Floats, Numbers
from pointsman.encoder.errors import EncoderError, EngineMissing, ModelFilesError

OUTPUT = "hidden"
CAPABILITY = "BF16"
TELEMETRY = "openvino_telemetry"
STEP = 16
"""Lengths are padded to a multiple of this: every new shape costs a millisecond to plan."""


class OpenVinoEngine:
    """Runs a graph of standard operators in `threads` streams of one thread each.

    Raises EngineMissing when openvino is not installed or the processor has no bf16. The precision is left
    to the library: asked for by name where it is not native, it is an order of magnitude slower.
    """

    def __init__(self, graph: bytes, *, dimension: int, threads: int, library: Any = None) -> None:
        core = (library or _library()).Core()
        capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if CAPABILITY not in capabilities:
            raise EngineMissing(
                f"this processor has no bf16 (openvino sees {', '.join(capabilities)}): "
                "use the engine onnxruntime"
            )
        streams = {"NUM_STREAMS": threads, "INFERENCE_NUM_THREADS": threads}
        try:
            self._compiled = core.compile_model(core.read_model(graph), "CPU", streams)
            width = self._compiled.output(OUTPUT).get_partial_shape()[2].get_length()
        except Exception as error:  # the library raises RuntimeError and its own
            raise ModelFilesError(f"not a graph this openvino can run: {error}") from error
        if width != dimension:
            raise ModelFilesError(f"the graph yields vectors of width {width}, wanted {dimension}")
        kind = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self._precision = f"openvino-{kind}"
        self._requests = local()

    @property
    def precision(self) -> str:
        """The arithmetic that the library chose."""
        return self._precision

    def hidden(self, numbers: Numbers, mask: Numbers) -> Floats:
        """See `Engine.hidden`."""
        texts, tokens = numbers.shape
        padded = np.zeros((2, texts, -(-tokens // STEP) * STEP), dtype=np.int64)
        padded[0, :, :tokens] = numbers
        padded[1, :, :tokens] = mask
        try:
            if not hasattr(self._requests, "own"):
                self._requests.own = self._compiled.create_infer_request()
            outputs = self._requests.own.infer({"input_ids": padded[0], "attention_mask": padded[1]})
        except Exception as error:
            raise EncoderError(f"the encoder pass failed: {error}") from error
        # The library writes the next pass into the same memory.
        return cast("Floats", np.array(outputs[OUTPUT][:, :tokens], dtype=np.float32))


def _library() -> Any:
    try:
        with _unreported():
            return import_module("openvino")
    except ImportError as error:
        raise EngineMissing("openvino is not installed: pip install 'pointsman[openvino]'") from error


@contextmanager
def _unreported() -> Iterator[None]:
    """Hide the package through which an import of openvino is reported to its vendor; it copes without."""
    found = sys.modules.get(TELEMETRY)
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        yield
    finally:
        del sys.modules[TELEMETRY]
        if found is not None:
            sys.modules[TELEMETRY] = found
