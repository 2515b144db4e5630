"""The inference engine: one ONNX graph, one text a pass, one thread a pass."""

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pointsman.encoder.errors import EncoderError, ModelFilesError

INPUT = "input_ids"
OUTPUT = "embedding"


class Engine:
    """Runs the encoder graph; safe to call from several threads at once.

    A pass holds exactly one text. Activations are quantised over the whole input, so a text's embedding
    would otherwise depend on the texts it happened to share a pass with. `precise` forces or forbids exact
    sums (see `sums_saturate`); left out, the processor decides.
    """

    def __init__(self, graph: bytes, *, dimension: int, precise: bool | None = None) -> None:
        self._session = open_session(graph, precise=precise)
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


def open_session(graph: bytes | Path, *, precise: bool | None = None) -> ort.InferenceSession:
    """Load a graph for passes of one thread each; `precise` as in `Engine`.

    Raises ModelFilesError for what is not a graph this runtime can run.
    """
    if precise is None:
        precise = sums_saturate(platform.machine(), _cpuinfo())
    try:
        return ort.InferenceSession(
            graph,
            _options(precise=precise),
            providers=["CPUExecutionProvider"],
            # Their fused kernels are slower on a CPU than the plain operators they replace.
            disabled_optimizers=["SkipLayerNormFusion", "BiasGeluFusion"],
        )
    except Exception as error:  # the runtime raises its own classes, none of them public
        raise ModelFilesError(f"not a graph this onnxruntime can run: {error}") from error


def sums_saturate(machine: str, cpuinfo: str) -> bool:
    """Tell whether this processor's signed 8-bit sums overflow and need the runtime's exact mode.

    x86 processors without VNNI add pairs of products in 16 bits, which clips and spoils the embedding. The
    exact mode gives the same bits as VNNI at about 1.6 times the time, so it is used only where needed.
    `machine` is what `platform.machine()` says, `cpuinfo` the text of /proc/cpuinfo, empty if unreadable.
    """
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    return machine.lower() in {"x86_64", "amd64"} and "vnni" not in flags


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _options(*, precise: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    # Threads inside a pass collapse as soon as Envoy wants a core; whole passes run in parallel instead.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if precise:
        options.add_session_config_entry("session.x64quantprecision", "1")
    # The arena keeps the largest pass's memory for ever and saves no time at one text a pass.
    options.enable_cpu_mem_arena = False
    # And this would remember a layout of memory for each of 512 lengths.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options
