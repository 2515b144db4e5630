import pytest

from pointsman.fleet.breaker import Patience
from pointsman.fleet.ending import Ending, Verdict
from pointsman.fleet.observed import MODELS, Capacity, ObservedFleet
from pointsman.fleet.state import Status
from pointsman.fleet.window import Window

FINE = Ending(status=200, endpoint="10.0.0.1:8000")
GONE = Ending(status=503, flags=frozenset({"upstream_connection_failure"}))
BROKEN = Ending(status=500, endpoint="10.0.0.1:8000")


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fleet(capacity: Capacity | None = None, **patience: float) -> tuple[ObservedFleet, Clock]:
    clock = Clock()
    return ObservedFleet(capacity, Patience(**patience), clock=clock), clock  # type: ignore[arg-type]  # ints


def request(
    observed: ObservedFleet, ending: Ending | None, name: str = "r", pool: str = "a", model: str = "m"
) -> None:
    observed.began(name, pool, model)
    observed.ended(name, pool, model, ending)


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (FINE, Verdict.REACHED),
        (Ending(status=404, endpoint="e:1"), Verdict.REACHED),
        (Ending(status=200), Verdict.REACHED),
        (GONE, Verdict.UNREACHED),
        (Ending(status=503, flags=frozenset({"no_healthy_upstream"})), Verdict.UNREACHED),
        (Ending(status=404, flags=frozenset({"no_route_found"})), Verdict.UNREACHED),
        (Ending(status=503, flags=frozenset({"upstream_retry_limit_exceeded"})), Verdict.UNREACHED),
        (Ending(status=503), Verdict.UNREACHED),
        (Ending(status=503, endpoint="e:1"), Verdict.INCONCLUSIVE),
        (BROKEN, Verdict.INCONCLUSIVE),
        (Ending(status=503, flags=frozenset({"upstream_overflow"})), Verdict.INCONCLUSIVE),
        (Ending(), Verdict.INCONCLUSIVE),
    ],
)
def test_only_an_answer_of_an_endpoint_shows_that_it_can_be_reached(ending: Ending, verdict: Verdict) -> None:
    """Envoy's own 503s show the opposite; a server error or a full queue shows neither."""
    assert ending.verdict is verdict


def test_failures_in_a_row_take_a_pool_out_and_a_success_in_between_keeps_it() -> None:
    """Three by default; what ends without telling anything does not count."""
    observed, _ = fleet()
    for ending in (GONE, GONE, FINE, GONE, BROKEN, None, GONE):
        request(observed, ending)
        assert observed.status("a") is Status.OK
    request(observed, GONE)
    assert observed.status("a") is Status.DOWN
    assert observed.failures("a") == 3
    assert observed.pools()["a"].down
    assert observed.status("b") is Status.OK


def test_after_the_cool_down_one_request_tries_and_a_success_clears() -> None:
    """While it is under way others still go elsewhere."""
    observed, clock = fleet()
    for _ in range(3):
        request(observed, GONE)
    clock.now += 5.0
    assert observed.status("a") is Status.OK
    observed.began("trial", "a", "m")
    assert observed.status("a") is Status.DOWN
    observed.ended("trial", "a", "m", FINE)
    assert observed.status("a") is Status.OK
    assert observed.failures("a") == 0


def test_the_cool_down_doubles_up_to_its_bound() -> None:
    """5, 10, 20, 40, 60, 60 seconds."""
    observed, clock = fleet()
    for _ in range(3):
        request(observed, GONE)
    lasted = []
    for _ in range(6):
        start = clock.now
        while observed.status("a") is Status.DOWN:
            clock.now += 1.0
        lasted.append(clock.now - start)
        request(observed, GONE)
    assert lasted == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_a_trial_that_tells_nothing_is_repeated_and_one_without_end_blocks_for_a_cool_down() -> None:
    """A lost request must not keep a pool out for good."""
    observed, clock = fleet()
    for _ in range(3):
        request(observed, GONE)
    clock.now += 5.0
    request(observed, None, "trial")
    assert observed.status("a") is Status.OK
    observed.began("endless", "a", "m")
    clock.now += 4.9
    assert observed.status("a") is Status.DOWN
    clock.now += 0.2
    assert observed.status("a") is Status.OK


def test_failures_of_earlier_requests_do_not_lengthen_a_cool_down() -> None:
    """A hundred requests that fail together count once."""
    observed, clock = fleet()
    for number in range(100):
        observed.began(str(number), "a", "m")
    for number in range(100):
        observed.ended(str(number), "a", "m", GONE)
    clock.now += 5.0
    assert observed.status("a") is Status.OK


def test_zero_failures_never_give_a_pool_up() -> None:
    """``fleet.down_after_failures: 0`` turns it off."""
    observed, _ = fleet(failures=0)
    for _ in range(50):
        request(observed, GONE)
    assert observed.status("a") is Status.OK


def test_a_pool_is_saturated_from_its_bound_on() -> None:
    """Its own bound goes before the common one; without any it never is."""
    observed, _ = fleet(Capacity(2, {"big": 3}))
    for number in range(2):
        observed.began(str(number), "a", "m")
        observed.began(str(number), "big", "n")
    assert (observed.status("a"), observed.status("big")) == (Status.SATURATED, Status.OK)
    observed.ended("0", "a", "m", FINE)
    assert observed.status("a") is Status.OK
    assert observed.in_flight("m") == 1


def test_streams_give_times_and_other_answers_do_not() -> None:
    """Without a stream the first byte comes with the last token; a failed answer is quick for no merit."""
    observed, _ = fleet()
    size = 11 * (200 + len("m"))
    stream = Ending(200, frozenset(), "e:1", 50.0, 250.0, size, stream=True)
    request(observed, Ending(200, frozenset(), "e:1", 900.0, 900.0, 400))
    request(observed, Ending(500, frozenset(), "e:1", 1.0, 1.0, size, stream=True))
    assert observed.ttft_ms("m", 50) is None
    request(observed, stream)
    assert observed.ttft_ms("m", 50) == 50.0
    assert observed.tpot_ms("m", 50) == pytest.approx(20.0)
    assert observed.success_share("m") == pytest.approx(2 / 3)


def test_measurements_grow_old() -> None:
    """After ten minutes without traffic nothing is known, so that a slow model is tried again."""
    observed, clock = fleet()
    request(observed, Ending(200, frozenset(), "e:1", 50.0, 60.0, 0, stream=True))
    clock.now += 600.0
    assert observed.ttft_ms("m", 95) is None
    assert observed.success_share("m") is None


def test_models_and_pools_remembered_are_bounded() -> None:
    """The one heard of longest ago is forgotten."""
    observed, _ = fleet()
    for number in range(MODELS + 10):
        request(observed, FINE, model=f"m{number}")
        request(observed, GONE, pool=f"p{number}")
    assert observed.remembered == MODELS
    assert len(observed.pools()) == MODELS
    assert observed.success_share("m0") is None


def test_a_window_keeps_its_newest_values() -> None:
    """Its size is a bound."""
    window = Window(size=3)
    for value in (9.0, 1.0, 2.0, 3.0):
        window.add(value, 0.0)
    assert len(window) == 3
    assert [window.percentile(p, 0.0) for p in (1, 50, 100)] == [1.0, 2.0, 3.0]
