"""What each policy does with endpoints that differ in one thing."""

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from pointsman.config.placement import NATIVE, Placement, SessionKey
from pointsman.core.endpoint import Endpoint, Health, Role
from pointsman.dialects.body import Body
from pointsman.fleet.load import EndpointLoad
from pointsman.fleet.load_report import EngineReport
from pointsman.placement.base import Asked, Profile, View, Weighed
from pointsman.placement.filters import ELIGIBLE
from pointsman.placement.pickers import Best, PowerOfTwo, WeightedRandom
from pointsman.placement.policy import Policy
from pointsman.placement.session import session_of
from pointsman.placement.table import FACTORIES, build_policy

SETTINGS = Placement()
ASKED = Asked(model="m", tokens=1000, usual_tokens=1000.0)


def view(number: int, cached: int = 0, **changes: object) -> View:
    load = {name: changes.pop(name) for name in tuple(changes) if name in EndpointLoad.__struct_fields__}
    endpoint = Endpoint(f"10.0.0.{number}:8000", "m", **{"health": Health.READY, **changes})
    return View(endpoint, EndpointLoad(**load), cached)


def policy(name: str) -> Policy:
    found = build_policy(name, SETTINGS)
    assert found is not None
    return found


def chosen(name: str, views: Sequence[View], asked: Asked = ASKED) -> str | None:
    choice = policy(name).profile.choose(asked, views)
    return choice.first.address.partition(":")[0] if choice else None


def test_every_name_is_a_policy_or_the_data_planes() -> None:
    """Names are either built here or native, and each policy carries its own name."""
    assert not set(FACTORIES) & set(NATIVE)
    assert all(build_policy(name, SETTINGS) is None for name in NATIVE)
    assert {policy(name).name for name in FACTORIES} == set(FACTORIES)


def test_prefixaware_goes_where_the_prompt_is_cached() -> None:
    """All else equal, the endpoint with most of the prompt is chosen."""
    assert chosen("prefixaware", [view(1), view(2, cached=800), view(3, cached=300)]) == "10.0.0.2"


def test_a_cached_prompt_does_not_outweigh_a_longer_wait() -> None:
    """An endpoint with the prompt and two more to compute before it loses to one with nothing to do."""
    assert chosen("prefixaware", [view(1), view(2, cached=1000, backlog=2000.0)]) == "10.0.0.1"


def test_a_short_shared_beginning_does_not_pin() -> None:
    """A system prompt that is all of a first question weighs little beside usual prompts."""
    first = Asked(tokens=200, usual_tokens=4000.0)
    views = [view(1, share=1.1), view(2, cached=200, share=1.2)]
    assert chosen("prefixaware", views, first) == "10.0.0.1"
    same = Asked(tokens=200, usual_tokens=200.0)
    assert chosen("prefixaware", views, same) == "10.0.0.2"


def test_affinity_never_beats_overload() -> None:
    """Whoever has half more than the mean at work comes last, for prompts and sessions alike."""
    views = [view(1), *(view(number, in_flight=10) for number in (2, 3)), view(4, 1000, in_flight=40)]
    assert chosen("prefixaware", views) != "10.0.0.4"
    for name in map(str, range(40)):
        assert chosen("session", views, Asked(session=name)) != "10.0.0.4"


def test_loadaware_ignores_what_is_cached() -> None:
    """The least busy endpoint is chosen, by our counts or by its own."""
    assert chosen("loadaware", [view(1, 1000, in_flight=3), view(2)]) == "10.0.0.2"
    report = EngineReport(running=6, waiting=2)
    assert chosen("loadaware", [view(1), view(2, report=report)]) == "10.0.0.1"


def test_a_full_cache_counts_as_load() -> None:
    """Of two endpoints with the same requests, the one short of memory loses."""
    views = [
        view(1, report=EngineReport(running=8, kv_usage=0.99)),
        view(2, report=EngineReport(running=8, kv_usage=0.5)),
    ]
    assert chosen("loadaware", views) == "10.0.0.2"


def test_an_adapter_at_work_is_preferred() -> None:
    """A request for an adapter goes where it is loaded; one for the base model does not care."""
    views = [view(1, share=0.99), view(2, report=EngineReport(loras=frozenset({"sql"})))]
    assert chosen("prefixaware", views, Asked(model="sql", base="m", tokens=1000)) == "10.0.0.2"
    assert chosen("prefixaware", views, ASKED) == "10.0.0.1"


def test_sessions_move_only_with_their_endpoint() -> None:
    """An endpoint that leaves moves its own sessions and no others; the rest spread evenly."""
    views = [view(number) for number in range(1, 6)]
    before = {name: chosen("session", views, Asked(session=name)) for name in map(str, range(500))}
    after = {name: chosen("session", views[1:], Asked(session=name)) for name in before}
    assert all(after[name] == where for name, where in before.items() if where != "10.0.0.1")
    counts = Counter(before.values())
    assert len(counts) == 5
    assert max(counts.values()) < 150


def test_without_a_session_the_idlest_serves() -> None:
    """A request that names no session is placed by load."""
    assert chosen("session", [view(1, in_flight=2), view(2, in_flight=1)]) == "10.0.0.2"


@pytest.mark.parametrize("name", ["disaggregated_prefill", "disaggregated_prefill_orchestrated"])
def test_prefill_and_decode_are_two_choices(name: str) -> None:
    """The prompt goes to a prefill endpoint that has it, the answer to the decode endpoint with room."""
    views = [
        view(1, role=Role.PREFILL),
        view(2, cached=900, role=Role.PREFILL),
        view(3, in_flight=5, role=Role.DECODE),
        view(4, role=Role.DECODE),
    ]
    found = policy(name)
    assert found.prefill is not None
    prefill = found.prefill.choose(msgspec.structs.replace(ASKED, role=Role.PREFILL), views)
    decode = found.profile.choose(msgspec.structs.replace(ASKED, role=Role.DECODE), views)
    assert prefill is not None
    assert decode is not None
    assert (prefill.first.address, decode.first.address) == ("10.0.0.2:8000", "10.0.0.4:8000")


@pytest.mark.parametrize(
    ("views", "asked", "left"),
    [
        ([view(1), view(2, health=Health.UNKNOWN)], ASKED, [1]),
        ([view(1, health=Health.DOWN), view(2, health=Health.UNKNOWN)], ASKED, [2]),
        ([view(1, health=Health.DRAINING), view(2, health=Health.ASLEEP)], ASKED, []),
        ([view(1, down=True), view(2)], ASKED, [2]),
        ([view(1, down=True), view(2, down=True)], ASKED, [1, 2]),
        ([view(1, models=frozenset({"x"})), view(2, models=frozenset({"m"})), view(3)], ASKED, [2, 3]),
        ([view(1, models=frozenset({"x"})), view(2, models=frozenset({"y"}))], ASKED, [1, 2]),
        ([view(1, role=Role.PREFILL), view(2, role=Role.DECODE), view(3)], ASKED, [2, 3]),
        ([view(1, role=Role.PREFILL), view(3)], Asked(role=Role.DECODE), [3]),
        ([view(1), view(2)], Asked(subset=frozenset({"10.0.0.2:8000"})), [2]),
        ([view(1)], Asked(subset=frozenset({"10.0.0.9:8000"})), []),
    ],
)
def test_who_may_serve(views: list[View], asked: Asked, left: list[int]) -> None:
    """Health, what traffic showed, names, roles and the caller's subset decide before any score."""
    choice = Profile(ELIGIBLE, (), Best()).choose(asked, views)
    found = sorted(view.address for view in choice.views) if choice else []
    assert found == [f"10.0.0.{number}:8000" for number in left]


@pytest.mark.parametrize("name", sorted(FACTORIES))
def test_scores_are_shares(name: str) -> None:
    """Whatever the state of endpoints, every scorer says something between 0 and 1, the same each time."""
    rng = random.Random(7)  # noqa: S311  # reproducible cases, no secret
    for _ in range(200):
        views = [
            view(
                number,
                cached=rng.randrange(5000),
                in_flight=rng.randrange(500),
                backlog=rng.random() * 1e6,
                share=rng.random() * 5,
                report=EngineReport(rng.randrange(99), rng.randrange(99), rng.random()),
            )
            for number in range(1, rng.randrange(2, 9))
        ]
        asked = Asked(
            "sql", "m", rng.choice(["", "s"]), tokens=rng.randrange(9000), usual_tokens=rng.random() * 9e3
        )
        profiles = [profile for profile in (policy(name).profile, policy(name).prefill) if profile]
        for weighed in (weighed for profile in profiles for weighed in profile.scorers):
            scores = weighed.scorer(asked, views)
            assert len(scores) == len(views)
            assert all(0.0 <= score <= 1.0 for score in scores), weighed.scorer.name
            assert list(weighed.scorer(asked, views)) == list(scores)


class Fixed:
    """Scores given."""

    name = "fixed"

    def __init__(self, *scores: float) -> None:
        self.scores = scores

    def __call__(self, asked: Asked, views: Sequence[View]) -> Sequence[float]:  # noqa: ARG002  # a scorer
        return self.scores


def test_the_best_comes_first_and_the_overloaded_last() -> None:
    """Fallbacks follow by score; who is over the bound is one of them at most."""
    views = [view(1), view(2, in_flight=30), view(3), view(4)]
    choice = Profile((), (Weighed(Fixed(0.2, 1.0, 0.9, 0.5)),), Best(1.5)).choose(ASKED, views)
    assert choice is not None
    assert list(choice.order) == [2, 3, 0, 1]


def test_the_better_of_two_drawn_wins() -> None:
    """Power of two never takes the worst, and the best far more often than by chance."""
    rng = random.Random(3)  # noqa: S311  # a seeded draw is the point
    picker = PowerOfTwo(rng.random)
    views = [view(number) for number in range(1, 5)]
    first = Counter(picker(ASKED, views, (0.1, 0.4, 0.9, 0.5))[0] for _ in range(2000))
    assert first[0] == 0
    assert 900 < first[2] < 1100  # two draws of four have it half of the time
    assert set(picker(ASKED, views, (0.1, 0.4, 0.9, 0.5))) == {0, 1, 2, 3}


def test_weights_are_shares_of_draws() -> None:
    """Weighted random takes each as often as its score says, and one with none never first."""
    rng = random.Random(5)  # noqa: S311  # a seeded draw is the point
    picker = WeightedRandom(rng.random)
    views = [view(number) for number in range(1, 4)]
    first = Counter(picker(ASKED, views, (3.0, 1.0, 0.0))[0] for _ in range(4000))
    assert first[2] == 0
    assert 2850 < first[0] < 3150


def test_where_a_session_is_written() -> None:
    """Header, then cookie, then body; what is not a string is none."""
    where = SessionKey(header="X-Chat", cookie="sid", body="user")
    body = Body({"user": msgspec.Raw(b'"anna"')})
    cookie = {"cookie": "a=1; sid=crumb; b=2"}
    assert session_of(where, {"x-chat": "one", **cookie}, body) == "one"
    assert session_of(where, cookie, body) == "crumb"
    assert session_of(where, {}, body) == "anna"
    assert session_of(where, {}, Body({"user": msgspec.Raw(b"7")})) == ""
    assert session_of(SessionKey(header="", body=""), {"": "x"}, body) == ""
