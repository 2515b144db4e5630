import pytest

from pointsman.encoder.session import sums_saturate

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
