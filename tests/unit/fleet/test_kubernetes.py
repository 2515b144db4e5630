"""Kubernetes as a source, against a server that misbehaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pointsman.config.replicas import InferencePoolReplicas, KubernetesReplicas
from pointsman.core.endpoint import Endpoint, Health, Role
from pointsman.fleet.discovery.backoff import Backoff
from pointsman.fleet.discovery.inference_pool import InferencePoolSource
from pointsman.fleet.discovery.kube_access import Access
from pointsman.fleet.discovery.kube_client import KubeClient
from pointsman.fleet.discovery.kubernetes import KubernetesSource
from pointsman.fleet.discovery.source import Change, Event, Source
from support.kube_api import KubeApi, endpoint_slice, inference_pool, pod

PODS = "/api/v1/namespaces/default/pods"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
SOON = Backoff(first_s=0.01, limit_s=0.05)


@dataclass
class Seen:
    """What a source published and reported."""

    published: list[tuple[Endpoint, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def publish(self, endpoints: object) -> None:
        self.published.append(tuple(endpoints))  # type: ignore[call-overload]

    @property
    def now(self) -> dict[str, Health]:
        return {one.address: one.health for one in self.published[-1]} if self.published else {}

    def changes(self) -> set[Change]:
        return {event.change for event in self.events}


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  # what is waited for is another task's doing
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(source: Source, seen: Seen) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(seen.publish))
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def pods_source(
    api: KubeApi, seen: Seen, *, idle_s: float = 30.0, most: int = 4096, **keys: object
) -> Source:
    replicas = KubernetesReplicas.model_validate({"selector": "app=vllm", "relist_interval": 3600, **keys})
    client = KubeClient(Access(api.url), idle_s=idle_s, list_s=2.0)
    return KubernetesSource("kubernetes[0]", replicas, client, seen.events.append, most=most, backoff=SOON)


def follow(scenario: Callable[[KubeApi, Seen], Awaitable[None]], **keys: object) -> Seen:
    """Run a scenario while a source follows the pods."""

    async def run() -> Seen:
        async with KubeApi() as api:
            seen = Seen()
            async with running(pods_source(api, seen, **keys), seen):  # type: ignore[arg-type]
                await scenario(api, seen)
            return seen

    return asyncio.run(run())


def test_pods_come_change_and_go() -> None:
    """Ready, not ready, terminating and deleted pods are what the roster will say of them."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        await until(lambda: seen.published == [()])
        api.put(PODS, pod("a", "10.0.0.1"))
        api.put(PODS, pod("other", "10.0.0.9", labels={"app": "web"}))
        await until(lambda: seen.now == {"10.0.0.1:8000": Health.READY})
        api.put(PODS, pod("a", "10.0.0.1", ready=False))
        await until(lambda: seen.now == {"10.0.0.1:8000": Health.DOWN})
        api.put(PODS, pod("a", "10.0.0.1", leaving=True))
        await until(lambda: seen.now == {"10.0.0.1:8000": Health.DRAINING})
        api.delete(PODS, "a")
        await until(lambda: seen.now == {})
        api.put(PODS, pod("done", "10.0.0.2", phase="Succeeded"))
        api.put(PODS, pod("pending", ""))
        api.put(PODS, pod("six", "fd00::7"))
        await until(lambda: seen.now == {"[fd00::7]:8000": Health.READY})
        assert api.lists() == 1

    follow(scenario)


def test_a_pod_tells_its_port_names_role_and_labels() -> None:
    """A port by name, served names and the role from an annotation or label."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(
            PODS,
            pod(
                "a",
                "10.0.0.1",
                ports={"metrics": 9000, "http": 8001},
                labels={"llm-d.ai/role": "prefill"},
                annotations={"served": "base, base-lora"},
            ),
        )
        api.put(PODS, pod("portless", "10.0.0.2"))
        await until(lambda: seen.now)
        [one] = seen.published[-1]
        assert (one.address, one.name, one.role) == ("10.0.0.1:8001", "a", Role.PREFILL)
        assert one.models == {"base", "base-lora"}
        assert one.labels["app"] == "vllm"
        assert one.labels["tier"] == "gold"

    follow(scenario, port="http", models_key="served", labels={"tier": "gold"})


def test_what_a_watch_lost_is_found_by_the_next_list() -> None:
    """A deletion whose event never came lasts one relist at most."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        api.put(PODS, pod("b", "10.0.0.2"))
        await until(lambda: len(seen.now) == 2 and api.watching)
        api.faults.drop_deletions = True
        lists = api.lists()
        api.delete(PODS, "a")
        await until(lambda: "10.0.0.1:8000" not in seen.now)
        assert api.lists() >= lists + 1
        assert Change.DELETED not in seen.changes()

    follow(scenario, relist_interval=0.3)


def test_a_silent_end_is_followed_by_another_look() -> None:
    """Deletions while no watch was open are seen: the bug that kept dead pods for 22 hours elsewhere."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        await until(lambda: seen.now and api.watching)
        await api.stop()
        api.delete(PODS, "a")
        api.put(PODS, pod("b", "10.0.0.2"))
        api.compact()
        await until(lambda: Change.FAILED in seen.changes())
        assert seen.now == {"10.0.0.1:8000": Health.READY}, "what is known stays while nobody can be asked"
        await api.start()
        await until(lambda: seen.now == {"10.0.0.2:8000": Health.READY})

    follow(scenario)


def test_an_expired_version_leads_to_a_list() -> None:
    """410 Gone is no trouble: what is true now is listed."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        await until(lambda: seen.now and api.watching)
        api.faults.half_open = True
        api.close_watches()
        api.delete(PODS, "a")
        api.compact()
        api.faults.half_open = False
        await until(lambda: seen.now == {})

    seen = follow(scenario)
    assert Change.DELETED not in seen.changes()


def test_a_watch_that_says_nothing_is_given_up() -> None:
    """A half-open connection looks like peace; without bookmarks for the idle time it counts as broken."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        await until(lambda: seen.now and api.watching)
        api.faults.half_open = True
        api.delete(PODS, "a")
        await until(lambda: seen.now == {})
        assert Change.SILENT in seen.changes()

    follow(scenario, idle_s=0.3)


def test_bookmarks_keep_a_quiet_watch_alive() -> None:
    """A cluster where nothing happens is listed once."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        await until(lambda: seen.now and api.watching)
        await asyncio.sleep(0.8)
        assert (api.lists(), api.watching) == (1, 1)
        assert Change.SILENT not in seen.changes()

    follow(scenario, idle_s=0.4)


@pytest.mark.parametrize("fault", ["status", "garbage", "close_at_once", "hang"])
def test_trouble_keeps_what_is_known_and_ends(fault: str) -> None:
    """Whatever an API server does wrong, the set stays; once it is right again, so are we."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.put(PODS, pod("a", "10.0.0.1"))
        await until(lambda: seen.now and api.watching)
        setattr(api.faults, fault, 500 if fault == "status" else True)
        asked = len(api.requests)
        api.close_watches()
        await until(lambda: len(api.requests) > asked + 1)
        assert seen.now == {"10.0.0.1:8000": Health.READY}
        setattr(api.faults, fault, 0)
        api.close_watches()
        api.put(PODS, pod("b", "10.0.0.2"))
        await until(lambda: len(seen.now) == 2)

    follow(scenario, idle_s=0.3)


def test_a_server_that_ends_every_watch_is_not_asked_without_pause() -> None:
    """Watches that end as they begin are spaced like failures."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        await until(lambda: seen.published)
        api.faults.close_at_once = True
        api.close_watches()
        asked = len(api.requests)
        await asyncio.sleep(1.0)
        assert len(api.requests) - asked <= 2 * 40 + 10, "40 rounds of a list and a watch would fit"

    follow(scenario)


def test_missing_permissions_are_told_as_such() -> None:
    """403 is an operator's matter: it is reported apart from failures, and asked again."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        api.faults.status = 403
        await until(lambda: Change.REFUSED in seen.changes())
        assert seen.published == []
        api.faults.status = 0
        await until(lambda: seen.published == [()])

    seen = follow(scenario)
    assert any("403" in event.detail for event in seen.events)


def test_lists_come_in_pages_and_end_at_the_bound() -> None:
    """More than a page is read on; more than the bound is cut and told."""

    async def scenario(api: KubeApi, seen: Seen) -> None:
        await until(lambda: seen.published)
        for number in range(1200):
            api.put(PODS, pod(f"p{number:04}", f"10.0.{number // 250}.{number % 250}"))
        api.compact()
        await until(lambda: len(seen.now) == 1100)
        assert any("continue" in query for _, query, _ in api.requests)

    assert Change.TRUNCATED in follow(scenario, most=1100).changes()


def test_the_token_is_read_anew(tmp_path: Path) -> None:
    """Projected tokens are replaced every hour: a list or watch after that carries the new one."""
    token = tmp_path / "token"
    token.write_text("old\n")

    async def run() -> list[str]:
        async with KubeApi() as api:
            client = KubeClient(Access(api.url, token_file=token))
            await client.list(PODS, {}, most=10)
            token.write_text("new\n")
            await client.list(PODS, {}, most=10)
            return [headers["authorization"] for _, _, headers in api.requests]

    assert asyncio.run(run()) == ["Bearer old", "Bearer new"]


def test_slices_of_a_service_are_followed() -> None:
    """Serving while terminating drains; an address in two slices counts once, as the better of the two."""

    async def run() -> Seen:
        async with KubeApi() as api:
            seen = Seen()
            replicas = KubernetesReplicas(kind="endpointslices", service="vllm", port="http", model="m")
            source = KubernetesSource(
                "k", replicas, KubeClient(Access(api.url)), seen.events.append, backoff=SOON
            )
            up: dict[str, bool | None] = {"ready": True}
            leaving: dict[str, bool | None] = {"ready": False, "serving": True, "terminating": True}
            api.put(SLICES, endpoint_slice("one", "vllm", {"10.0.0.1": up, "10.0.0.2": leaving}, 8001))
            api.put(
                SLICES, endpoint_slice("two", "vllm", {"10.0.0.2": up, "10.0.0.3": {"ready": None}}, 8001)
            )
            api.put(SLICES, endpoint_slice("six", "vllm", {"fd00::1": {"ready": False}}, 8001))
            api.put(SLICES, endpoint_slice("else", "web", {"10.0.0.9": up}))
            async with running(source, seen):
                await until(lambda: len(seen.now) == 4)
                assert seen.now == {
                    "10.0.0.1:8001": Health.READY,
                    "10.0.0.2:8001": Health.READY,
                    "10.0.0.3:8001": Health.READY,
                    "[fd00::1]:8001": Health.DOWN,
                }
                api.delete(SLICES, "two")
                await until(lambda: seen.now.get("10.0.0.2:8001") is Health.DRAINING)
            return seen

    assert {one.pool for one in asyncio.run(run()).published[-1]} == {"m"}


@pytest.mark.parametrize("alpha", [False, True])
def test_an_inference_pool_names_its_pods(alpha: bool) -> None:
    """Selector and ports come from the object; when they change, other pods are the replicas; both versions."""
    group = "inference.networking.x-k8s.io" if alpha else "inference.networking.k8s.io"
    path = f"/apis/{group}/{'v1alpha2' if alpha else 'v1'}/namespaces/default/inferencepools"

    async def run() -> None:
        async with KubeApi() as api:
            seen = Seen()
            replicas = InferencePoolReplicas.model_validate({"name": "llama", "group": group})
            source = InferencePoolSource(
                "i", replicas, KubeClient(Access(api.url)), seen.events.append, backoff=SOON
            )
            api.put(PODS, pod("a", "10.0.0.1"))
            api.put(PODS, pod("b", "10.0.0.2", labels={"app": "other"}))
            async with running(source, seen):
                await until(lambda: seen.published == [()])
                api.put(path, inference_pool("llama", {"app": "vllm"}, [8000], alpha=alpha))
                await until(lambda: seen.now == {"10.0.0.1:8000": Health.READY})
                api.put(path, inference_pool("llama", {"app": "other"}, [8001], alpha=alpha))
                await until(lambda: seen.now == {"10.0.0.2:8001": Health.READY})
                api.delete(path, "llama")
                await until(lambda: seen.now == {})

    asyncio.run(run())
