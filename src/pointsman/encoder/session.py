"""The inference engine: one ONNX graph, one text a pass, one thread a pass."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pointsman.encoder.errors import EncoderError, ModelFilesError

INPUT = "input_ids"
OUTPUT = "embedding"


class Engine:
    """Runs the encoder graph; safe to call from several threads at once.

    A pass holds exactly one text. Activations are quantised over the whole input, so a text's embedding
    would otherwise depend on the texts it happened to share a pass with.
    """

    def __init__(self, graph: bytes, *, dimension: int) -> None:
        try:
            self._session = ort.InferenceSession(
                graph,
                _options(),
                providers=["CPUExecutionProvider"],
                # Their fused kernels are slower on a CPU than the plain operators they replace.
                disabled_optimizers=["SkipLayerNormFusion", "BiasGeluFusion"],
            )
        except Exception as error:  # the runtime raises its own classes, none of them public
            raise ModelFilesError(f"not a graph this onnxruntime can run: {error}") from error
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        if shapes.get(OUTPUT) != [1, dimension]:
            raise ModelFilesError(
                f"the graph's outputs are {shapes}, wanted {OUTPUT} of shape [1, {dimension}]"
            )

    def embed(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Run one pass over word piece numbers; gives a read-only unit vector of shape (dimension,)."""
        try:
            outputs = self._session.run([OUTPUT], {INPUT: np.asarray([ids], dtype=np.int64)})
        except Exception as error:
            raise EncoderError(f"the encoder pass failed: {error}") from error
        embedding: NDArray[np.float32] = outputs[0][0].copy()
        embedding.setflags(write=False)
        return embedding


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    # Threads inside a pass collapse as soon as Envoy wants a core; whole passes run in parallel instead.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Processors without VNNI would saturate 8-bit sums: let the runtime shift the weights there instead.
    options.add_session_config_entry("session.x64quantprecision", "1")
    # The arena keeps the largest pass's memory for ever and saves no time at one text a pass.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return options
