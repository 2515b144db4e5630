import pytest

from pointsman.encoder.errors import EncoderError, ModelFilesError
from pointsman.encoder.folder import open_folder
from pointsman.encoder.model_files import SHIPPED
from pointsman.encoder.session import Engine, sums_saturate

EARLIER = pytest.mark.skipif(open_folder(SHIPPED) is not None, reason="the shipped folder has all heads")
"""Tests of the earlier kind of folder, for as long as that is the one that ships."""

VNNI = "processor : 0\nflags\t\t: fpu sse2 avx2 avx512_vnni\n"
PLAIN = "processor : 0\nflags\t\t: fpu sse2 avx2\n"


@pytest.mark.parametrize(
    ("machine", "cpuinfo", "saturates"),
    [
        ("x86_64", VNNI, False),
        ("x86_64", VNNI.replace("avx512_vnni", "avx_vnni"), False),
        ("x86_64", PLAIN, True),
        ("AMD64", "", True),
        ("aarch64", "", False),
        ("arm64", "", False),
    ],
)
def test_exact_sums_are_used_where_the_processor_clips(
    machine: str, cpuinfo: str, *, saturates: bool
) -> None:
    """x86 without VNNI, or without a word about it, gets the exact mode; nobody else pays for it."""
    assert sums_saturate(machine, cpuinfo) is saturates


@EARLIER
def test_exact_mode_and_vnni_give_the_same_embedding() -> None:
    """Exact sums and the sums of a processor that does not clip agree to the last bit."""
    graph = (SHIPPED / "encoder.onnx").read_bytes()
    exact = Engine(graph, dimension=384, precise=True)
    chosen = Engine(graph, dimension=384)
    for ids in ([101, 102], [101, *range(2000, 2060), 102], [101, *[7592] * 510, 102]):
        assert exact.embed(ids).tobytes() == chosen.embed(ids).tobytes()


@EARLIER
def test_a_failing_pass_is_an_encoder_error() -> None:
    """A word piece number outside the table, or too many of them, is reported as ours."""
    engine = Engine((SHIPPED / "encoder.onnx").read_bytes(), dimension=384)
    for ids in ([10**6], [101] * 600):
        with pytest.raises(EncoderError, match="pass failed"):
            engine.embed(ids)


@EARLIER
def test_a_graph_of_another_size_is_refused() -> None:
    """The dimension the manifest promises is checked against the graph itself."""
    with pytest.raises(ModelFilesError, match="wanted embedding"):
        Engine((SHIPPED / "encoder.onnx").read_bytes(), dimension=768)
