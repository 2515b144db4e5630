"""Probes, what traffic shows, and the roster that follows."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.replicas import HealthChecks
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.health.monitor import Monitor, Served
from pointsman.fleet.health.probe import HttpProber, Question
from pointsman.fleet.health.standing import Answer, Probed, Standing
from pointsman.fleet.roster import Roster

A, B = "10.0.0.1:8000", "10.0.0.2:8000"
SERVED = {
    "small": Served(frozenset({"org/small"}), {"authorization": "Bearer s"}),
    "large": Served(frozenset({"org/large"})),
}


class Engines:
    """Answers probes as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Probed] = {}
        self.asked: list[Question] = []
        self.running = self.most = 0
        self.takes_s = 0.0

    def well(self, *models: str, can_sleep: bool = False) -> Probed:
        return Probed(Answer.WELL, frozenset(models), can_sleep=can_sleep)

    async def probe(self, question: Question) -> Probed:
        self.asked.append(question)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.running -= 1
        return self.answers.get(question.url.removeprefix("http://"), Probed(Answer.WELL))

    def count(self, address: str) -> int:
        return sum(1 for question in self.asked if question.url == f"http://{address}")


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  # what is waited for is another task's doing
            await asyncio.sleep(0.002)


def watch(
    scenario: Callable[[Monitor, Roster, Engines], Awaitable[None]],
    engines: Engines | None = None,
    **checks: object,
) -> None:
    """Run a scenario beside a monitor whose probes ``engines`` answers."""

    async def run() -> None:
        roster, probed = Roster(), engines or Engines()
        settings = HealthChecks.model_validate({"interval": 0.05, "retry_interval": 0.05, **checks})
        monitor = Monitor(roster, settings, SERVED, probed, headers={"authorization": "Bearer found"})
        task = asyncio.create_task(monitor.run())
        try:
            await scenario(monitor, roster, probed)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def healths(roster: Roster, pool: str = "small") -> dict[str, Health]:
    return {one.address: one.health for one in roster.of(pool)}


def test_readiness_is_earned() -> None:
    """A replica is unknown until its first probe is answered, and chosen until then only if nothing is ready."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        engines.takes_s = 0.05
        monitor.publisher("s")([Endpoint(A, "small")])
        await until(lambda: healths(roster) == {A: Health.UNKNOWN})
        assert [one.address for one in roster.usable("small")] == [A]
        await until(lambda: healths(roster) == {A: Health.READY})
        monitor.publisher("s")([Endpoint(A, "small"), Endpoint(B, "small")])
        await until(lambda: healths(roster) == {A: Health.READY, B: Health.UNKNOWN})
        assert [one.address for one in roster.usable("small")] == [A]

    watch(scenario)


def test_failures_in_a_row_make_it_down_and_one_answer_brings_it_back() -> None:
    """Server errors are borne as often as the document says; recovery takes one good probe."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small")])
        await until(lambda: healths(roster) == {A: Health.READY})
        before = engines.count(A)
        engines.answers[A] = Probed(Answer.UNWELL)
        await until(lambda: healths(roster) == {A: Health.DOWN})
        assert engines.count(A) - before >= 3
        engines.answers[A] = engines.well()
        await until(lambda: healths(roster) == {A: Health.READY})

    watch(scenario)


def test_one_failed_connect_in_traffic_ejects_a_dead_replica() -> None:
    """The probe that traffic asks for comes at once, and nobody listening is enough."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small"), Endpoint(B, "small")])
        await until(lambda: set(healths(roster).values()) == {Health.READY})
        engines.answers[A] = Probed(Answer.UNREACHABLE)
        monitor.failed(A)
        await until(lambda: healths(roster) == {A: Health.DOWN, B: Health.READY})
        assert engines.count(A) == 2

    watch(scenario, interval=3600)


def test_a_pool_under_suspicion_is_probed_and_nothing_else() -> None:
    """A retry does not say who failed: each ready replica of the pool is asked, others are left alone."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small"), Endpoint(B, "large")])
        await until(
            lambda: healths(roster) == {A: Health.READY} and healths(roster, "large") == {B: Health.READY}
        )
        monitor.suspect("small")
        await until(lambda: engines.count(A) == 2)
        assert engines.count(B) == 1

    watch(scenario, interval=3600)


def test_a_flood_of_failures_is_not_a_flood_of_probes() -> None:
    """However often traffic fails, a replica is probed ten times a second at most."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small")])
        await until(lambda: healths(roster) == {A: Health.READY})
        engines.answers[A] = Probed(Answer.UNWELL)
        for _ in range(100):
            monitor.failed(A)
            monitor.failed("10.9.9.9:1")
            await asyncio.sleep(0.005)
        assert engines.count(A) <= 12

    watch(scenario, interval=3600, retry_interval=3600)


def test_answers_in_traffic_clear_failed_probes() -> None:
    """A slow probe now and then does not add up while requests are answered."""
    standing = Standing(Health.READY, failures=2)
    assert standing.answered().failures == 0
    assert Standing(Health.DOWN, failures=2).answered().health is Health.DOWN


def test_what_discovery_denies_no_probe_restores() -> None:
    """A terminating pod drains and one that is not ready is down, however well it answers."""

    async def scenario(monitor: Monitor, roster: Roster, _: Engines) -> None:
        publish = monitor.publisher("k")
        publish([Endpoint(A, "small", health=Health.READY), Endpoint(B, "small", health=Health.READY)])
        await until(lambda: set(healths(roster).values()) == {Health.READY})
        publish([Endpoint(A, "small", health=Health.DRAINING), Endpoint(B, "small", health=Health.DOWN)])
        await until(lambda: healths(roster) == {A: Health.DRAINING, B: Health.DOWN})
        assert roster.usable("small") == ()

    watch(scenario)


def test_discovery_alone_decides_where_it_is_trusted() -> None:
    """Replicas of trusted models are never probed."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small"), Endpoint(B, "", models=frozenset({"org/small"}))])
        await until(lambda: healths(roster) == {A: Health.READY, B: Health.READY})
        assert engines.asked == []

    watch(scenario, trust=["small"])


def test_an_engine_is_put_where_its_names_belong() -> None:
    """Found without a model, it joins the pools whose model it serves; adapters are seen, strangers counted."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        engines.answers[A] = engines.well("org/small", "sql-lora")
        engines.answers[B] = engines.well("org/other")
        monitor.publisher("k")([Endpoint(A, ""), Endpoint(B, "")])
        await until(lambda: healths(roster) == {A: Health.READY} and monitor.unclaimed == 1)
        assert roster.of("small")[0].models == {"org/small", "sql-lora"}
        engines.answers[A] = engines.well("org/small", "org/large")
        await until(lambda: healths(roster, "large") == {A: Health.READY})
        assert {one.models for one in roster.of("small")} == {frozenset({"org/small", "org/large"})}

    watch(scenario, models_interval=0.05)


def test_keys_go_to_the_engines_they_are_for() -> None:
    """A model's own key reaches its engines; those nothing is known of get the key of discovered ones."""

    async def scenario(monitor: Monitor, _: Roster, engines: Engines) -> None:
        monitor.publisher("k")([Endpoint(A, "small"), Endpoint(B, "")])
        await until(lambda: engines.count(A) and engines.count(B))
        keys = {question.url: question.headers["authorization"] for question in engines.asked}
        assert keys == {f"http://{A}": "Bearer s", f"http://{B}": "Bearer found"}

    watch(scenario, interval=3600)


def test_sources_that_disagree_are_read_carefully() -> None:
    """The same replica in two sources is there once, and the bad news holds; it stays until both let it go."""

    async def scenario(monitor: Monitor, roster: Roster, _: Engines) -> None:
        one, two = monitor.publisher("static"), monitor.publisher("k")
        one([Endpoint(A, "small")])
        two([Endpoint(A, "small", health=Health.DRAINING)])
        await until(lambda: healths(roster) == {A: Health.DRAINING})
        two([])
        await until(lambda: healths(roster) == {A: Health.READY})
        one([])
        await until(lambda: healths(roster) == {})

    watch(scenario)


def test_sleeping_engines_are_asked_and_others_are_not() -> None:
    """Where there is no sleep mode the question is not repeated; asleep is no failure."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        engines.answers[A] = Probed(Answer.ASLEEP, can_sleep=True)
        engines.answers[B] = engines.well()
        monitor.publisher("s")([Endpoint(A, "small"), Endpoint(B, "small")])
        await until(lambda: engines.count(A) > 3 and engines.count(B) > 3)
        assert healths(roster) == {A: Health.ASLEEP, B: Health.READY}
        asked = Counter((question.url, question.sleep) for question in engines.asked)
        assert asked[f"http://{B}", True] == 1
        assert asked[f"http://{A}", False] == 0

    watch(scenario)


def test_many_replicas_are_not_probed_at_once() -> None:
    """The bound on probes at the same time holds, and all get their turn."""
    engines = Engines()
    engines.takes_s = 0.002

    async def scenario(monitor: Monitor, roster: Roster, _: Engines) -> None:
        monitor.publisher("s")(Endpoint(f"10.0.0.{n}:8000", "small") for n in range(100))
        await until(lambda: set(healths(roster).values()) == {Health.READY})
        assert (len(roster.of("small")), engines.most) == (100, 4)

    watch(scenario, engines, concurrency=4, interval=3600)


def test_what_is_gone_is_no_longer_probed() -> None:
    """Probes end with the replica, and one that comes back starts from nothing."""

    async def scenario(monitor: Monitor, roster: Roster, engines: Engines) -> None:
        monitor.publisher("s")([Endpoint(A, "small")])
        await until(lambda: healths(roster) == {A: Health.READY})
        monitor.publisher("s")([])
        await until(lambda: roster.of("small") == ())
        asked = engines.count(A)
        await asyncio.sleep(0.3)
        assert engines.count(A) == asked
        engines.answers[A] = Probed(Answer.UNREACHABLE)
        monitor.publisher("s")([Endpoint(A, "small")])
        await until(lambda: healths(roster) == {A: Health.DOWN})

    watch(scenario)


@given(st.lists(st.sampled_from(list(Answer))), st.integers(1, 4))
def test_a_standing_says_what_its_last_probes_say(answers: list[Answer], patience: int) -> None:
    """Against a naive reading of the whole history: any good answer resets, runs of failures count."""
    standing = Standing()
    for answer in answers:
        standing = standing.after(Probed(answer), patience)
    good = [index for index, answer in enumerate(answers) if answer in {Answer.WELL, Answer.ASLEEP}]
    run = answers[good[-1] + 1 :] if good else answers
    resting = (
        {Answer.WELL: Health.READY, Answer.ASLEEP: Health.ASLEEP}[answers[good[-1]]]
        if good
        else Health.UNKNOWN
    )
    down = len(run) >= patience or Answer.UNREACHABLE in run
    assert standing.health is (Health.DOWN if down else resting)


@contextlib.asynccontextmanager
async def engine(**routes: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_get("/" + path.replace("__", "/"), handler)
    runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def probe(url: str, *, timeout_s: float = 2.0) -> Awaitable[Probed]:
    async def ask() -> Probed:
        async with HttpProber(timeout_s) as prober:
            return await prober.probe(Question(url, {"authorization": "Bearer k"}, models=True, sleep=True))

    return ask()


async def _fine(_: web.Request) -> web.Response:
    return web.Response()


async def _models(request: web.Request) -> web.Response:
    if request.headers.get("authorization") != "Bearer k":
        return web.Response(status=401)
    return web.json_response({"object": "list", "data": [{"id": "base"}, {"id": "lora", "parent": "base"}]})


async def _sleeping(_: web.Request) -> web.Response:
    return web.json_response({"is_sleeping": True})


async def _broken(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def _stuck(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def _huge(_: web.Request) -> web.Response:
    return web.Response(body=b"[" * (2 << 20))


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            {"health": _fine, "v1__models": _models},
            Probed(Answer.WELL, frozenset({"base", "lora"}), can_sleep=False),
        ),
        ({"health": _fine, "is_sleeping": _sleeping}, Probed(Answer.ASLEEP, None, can_sleep=True)),
        ({}, Probed(Answer.WELL, None, can_sleep=False)),
        ({"health": _fine, "v1__models": _huge}, Probed(Answer.WELL, None, can_sleep=False)),
        ({"health": _fine, "v1__models": _broken}, Probed(Answer.WELL, None, can_sleep=False)),
        ({"health": _broken, "v1__models": _models}, Probed(Answer.UNWELL, detail="/health says 503")),
    ],
)
def test_a_probe_reads_an_engine(
    routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]], expected: Probed
) -> None:
    """Alive, asleep, without a health page, and server errors; what is no list of models is no list."""

    async def run() -> Probed:
        async with engine(**routes) as url:
            return await probe(url)

    assert asyncio.run(run()) == expected


def test_a_probe_tells_hanging_from_absent() -> None:
    """An engine that accepts and does not answer may be busy; one that refuses is gone."""

    async def run() -> tuple[Probed, Probed]:
        async with engine(health=_stuck) as url:
            stuck = await probe(url, timeout_s=0.1)
        return stuck, await probe(url)

    stuck, absent = asyncio.run(run())
    assert (stuck.answer, absent.answer) == (Answer.UNWELL, Answer.UNREACHABLE)
