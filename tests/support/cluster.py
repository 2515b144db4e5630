"""A Kubernetes API in a thread, so that plain tests can change the cluster beside a gateway."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from support.gateway import Engine
from support.kube_api import KubeApi, Object, pod

Result = TypeVar("Result")
PODS = "/api/v1/namespaces/default/pods"


class Cluster:
    """A fake cluster whose pods are simulated engines."""

    def __init__(self) -> None:
        self.api = KubeApi()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.api.start())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def call(self, work: Callable[[], Result]) -> Result:
        async def called() -> Result:
            return work()

        return self.run(called())

    def put(self, engine: Engine, **state: Any) -> None:
        self.call(lambda: self.api.put(PODS, as_pod(engine, **state)))

    def delete(self, engine: Engine) -> None:
        self.call(lambda: self.api.delete(PODS, engine.name))

    def close(self) -> None:
        self.run(self.api.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def as_pod(engine: Engine, **state: Any) -> Object:
    return pod(engine.name, "127.0.0.1", ports={"http": engine.port}, **state)
