"""Sessions of onnxruntime as a gateway needs them: one thread a pass, and sums that are exact everywhere."""

import platform
from pathlib import Path

import onnxruntime as ort

from pointsman.encoder.errors import ModelFilesError


def open_session(graph: bytes | Path, *, precise: bool | None = None) -> ort.InferenceSession:
    """Load a graph for passes of one thread each.

    `precise` forces or forbids exact sums (see `sums_saturate`); left out, the processor decides. Raises
    ModelFilesError for what is not a graph this runtime can run.
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
