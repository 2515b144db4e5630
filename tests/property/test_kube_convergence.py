"""Whatever happens to the API server and its watches, one good list later we know the truth."""

import asyncio
import contextlib
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.config.replicas import KubernetesReplicas
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.discovery.backoff import Backoff
from pointsman.fleet.discovery.kube_access import Access
from pointsman.fleet.discovery.kube_client import KubeClient
from pointsman.fleet.discovery.kubernetes import KubernetesSource
from pointsman.fleet.discovery.source import unreported
from support.kube_api import Faults, KubeApi, pod

PODS = "/api/v1/namespaces/default/pods"

_numbers = st.integers(0, 5)
_steps = st.one_of(
    st.tuples(st.just("put"), _numbers, st.booleans(), st.booleans(), st.booleans()),
    st.tuples(st.just("delete"), _numbers),
    st.tuples(st.just("compact")),
    st.tuples(st.just("close")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("wait")),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["half_open", "drop_deletions", "close_at_once", "garbage", "hang"]),
        st.booleans(),
    ),
    st.tuples(st.just("slow"), st.sampled_from([0.0, 0.05, 0.3])),
    st.tuples(st.just("status"), st.sampled_from([0, 0, 410, 429, 500, 503, 403])),
)


def truth(api: KubeApi) -> dict[str, Health]:
    """What a careful reader of the objects would say; written apart from the code under test."""
    known = {}
    for each in api.objects(PODS):
        if each["metadata"]["labels"]["app"] != "vllm":
            continue
        ready = each["status"]["conditions"][0]["status"] == "True"
        leaving = "deletionTimestamp" in each["metadata"]
        address = f"{each['status']['podIP']}:8000"
        known[address] = Health.DRAINING if leaving else Health.READY if ready else Health.DOWN
    return known


async def take(api: KubeApi, step: tuple[object, ...]) -> None:
    match step:
        case ("put", number, ready, leaving, other):
            item = pod(
                f"p{number}",
                f"10.0.0.{number}",
                ready=bool(ready),
                leaving=bool(leaving),
                labels={"app": "web" if other else "vllm"},
            )
            api.put(PODS, item)
        case ("delete", number):
            api.delete(PODS, f"p{number}")
        case ("compact",):
            api.compact()
        case ("close",):
            api.close_watches()
        case ("restart",):
            await api.stop()
            await api.start()
        case ("wait",):
            await asyncio.sleep(0.02)
        case ("fault", str() as name, on):
            setattr(api.faults, name, on)
        case ("slow", float() as seconds):
            api.faults.slow_s = seconds
        case ("status", int() as status):
            api.faults.status = status


async def converge(steps: list[tuple[object, ...]]) -> None:
    published: list[dict[str, Health]] = []

    def publish(endpoints: Iterable[Endpoint]) -> None:
        published.append({one.address: one.health for one in endpoints})

    async with KubeApi(bookmark_s=0.02) as api:
        replicas = KubernetesReplicas(selector="app=vllm", relist_interval=0.15)
        client = KubeClient(Access(api.url), idle_s=0.1, list_s=0.2)
        backoff = Backoff(first_s=0.005, limit_s=0.02)
        source = KubernetesSource("k", replicas, client, unreported, backoff=backoff)
        task = asyncio.create_task(source.run(publish))
        try:
            for step in steps:
                await take(api, step)
                await asyncio.sleep(0)
            api.faults = Faults()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    while not published or published[-1] != truth(api):  # noqa: ASYNC110  # another task's doing
                        await asyncio.sleep(0.005)
            assert published[-1] == truth(api)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


# Connections that the fake API cuts while they are being accepted are its own to lose.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_steps, max_size=25))
def test_any_faults_and_changes_end_in_the_truth(steps: list[tuple[object, ...]]) -> None:
    """No sequence of faults leaves a pod that is gone, or misses one that is there."""
    asyncio.run(converge(steps))
