import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sim import Fault, FaultBoard, FaultKind, FaultSpecError, known_faults, parse_fault

SPECS = [
    "status:500",
    "status:404",
    "hang",
    "hang-mid:3",
    "cut:0",
    "error-mid:1",
    "delay:10",
    "malformed",
    "no-done",
    "slow-first:30",
    "slow:5",
    "reset:2",
    "kv-lost",
]


@pytest.mark.parametrize("spec", [*SPECS, "refuse", "refuse:500"])
def test_specs_read_and_write_the_same(spec: str) -> None:
    """A fault writes itself as the spec it was read from."""
    assert str(parse_fault(spec)) == spec


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "boom",
        "status",
        "status:200",
        "status:600",
        "hang:1",
        "cut",
        "cut:-1",
        "cut:x",
        "cut:٣",
        "delay:",
        "cut:9999999999",
    ],
)
def test_bad_specs_list_the_known_ones(spec: str) -> None:
    """An unknown or ill-formed spec raises an error that teaches."""
    with pytest.raises(FaultSpecError, match=r"status:CODE.*cut:N.*no-done"):
        parse_fault(spec)


@given(st.text(max_size=20))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text is either a fault or a FaultSpecError."""
    with contextlib.suppress(FaultSpecError):
        assert isinstance(parse_fault(text), Fault)


def test_every_kind_is_documented() -> None:
    """The help lists each kind."""
    assert len(known_faults()) == len(FaultKind)


def test_a_counted_fault_clears_itself() -> None:
    """A board strikes as often as told, inference alone unless told otherwise, and never by `refuse`."""
    board = FaultBoard()
    board.set(Fault(FaultKind.HANG), count=2)
    assert board.take("other") is None
    assert [board.take("inference") is not None for _ in range(3)] == [True, True, False]
    board.set(Fault(FaultKind.HANG), scope="all")
    assert board.take("other") is not None
    board.set(Fault(FaultKind.REFUSE))
    assert board.take("inference") is None


def test_a_fault_of_health_spares_the_rest() -> None:
    """With the scope `health` the probes fail and requests do not."""
    board = FaultBoard(Fault(FaultKind.STATUS, 503), scope="health")
    assert [board.take(route) is not None for route in ("health", "inference", "other")] == [
        True,
        False,
        False,
    ]
