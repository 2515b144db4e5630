"""A copy of some Kubernetes objects, kept true by list and watch.

Anything doubtful ends in a list: it alone shows deletions that a watch missed. What is known stays so long.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from pointsman.fleet.discovery.backoff import Backoff, around
from pointsman.fleet.discovery.kube_client import ApiTrouble, Gone, KubeClient, NotAllowed, Silence
from pointsman.fleet.discovery.kube_objects import Meta
from pointsman.fleet.discovery.source import Change, Event, Report

_SHORTEST_WATCH_S = 1.0
"""A watch that ends sooner counts as a failure."""
_SETTLED_S = 10.0
"""Trouble after so long is a new one: waiting starts over."""
_TROUBLE = {Gone: Change.EXPIRED, Silence: Change.SILENT, NotAllowed: Change.REFUSED}
_CHANGES = {"ADDED": Change.ADDED, "MODIFIED": Change.MODIFIED, "DELETED": Change.DELETED}


class Named(Protocol):
    """An object with metadata."""

    @property
    def metadata(self) -> Meta:
        """Its name and version."""


Object = TypeVar("Object", bound=Named)
Read = TypeVar("Read")


class _Bookmark(msgspec.Struct, frozen=True):
    metadata: Meta = Meta()


_BOOKMARKS = msgspec.json.Decoder(_Bookmark)


class Watching(msgspec.Struct, frozen=True):
    """What is watched, and how patiently."""

    path: str
    query: Mapping[str, str] = {}
    most: int = 4096
    """Objects kept."""
    relist_s: float = 300.0
    """Longest time between two lists."""
    backoff: Backoff = Backoff()


class Reflector(Generic[Object]):
    """Follows the objects of one path. ``on_change`` gets all of them, whenever they may have changed."""

    def __init__(
        self,
        client: KubeClient,
        kind: type[Object],
        watching: Watching,
        on_change: Callable[[Mapping[str, Object]], None],
        *,
        source: str,
        report: Report,
    ) -> None:
        self._client = client
        self._decoder = msgspec.json.Decoder(kind)
        self._watching = watching
        self._on_change = on_change
        self._source = source
        self._report = report
        self._objects: dict[str, Object] = {}
        self._version = ""

    async def run(self) -> None:
        """Until cancelled; trouble is reported and waited out."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._list()
                calm = await self._follow()
            except ApiTrouble as trouble:
                self._tell(_TROUBLE.get(type(trouble), Change.FAILED), str(trouble))
                calm = False
            settled = calm or time.monotonic() - began > _SETTLED_S
            failures = 0 if settled else failures + 1
            if not calm:
                await asyncio.sleep(self._watching.backoff.delay_s(max(failures, 1)))

    async def _list(self) -> None:
        watching = self._watching
        found = await self._client.list(watching.path, watching.query, most=watching.most)
        objects = (_read(self._decoder, item) for item in found.items)
        self._objects = {one.metadata.name: one for one in objects}
        self._version = found.version
        if found.cut:
            self._tell(Change.TRUNCATED, f"more than {watching.most} objects under {watching.path}")
        self._tell(Change.SYNCED)
        self._on_change(self._objects)

    async def _follow(self) -> bool:
        """Watch until the next list is due; false when watches end as soon as they begin."""
        until = time.monotonic() + around(self._watching.relist_s)
        while (left := until - time.monotonic()) > 0:
            began = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    await self._watch(left)
            except TimeoutError:
                return True
            if time.monotonic() - began < _SHORTEST_WATCH_S:
                return False
        return True

    async def _watch(self, seconds: float) -> None:
        """One watch, until the server ends it."""
        watching = self._watching
        events = self._client.watch(watching.path, watching.query, self._version, seconds=seconds)
        async with contextlib.aclosing(events):
            async for event in events:
                if event.type == "BOOKMARK":
                    self._version = _read(_BOOKMARKS, event.object).metadata.resource_version
                elif change := _CHANGES.get(event.type):
                    self._apply(change, _read(self._decoder, event.object))

    def _apply(self, change: Change, one: Object) -> None:
        name = one.metadata.name
        if change is Change.DELETED:
            self._objects.pop(name, None)
        elif name in self._objects or len(self._objects) < self._watching.most:
            self._objects[name] = one
        else:
            self._tell(Change.TRUNCATED, f"{name} is one too many")
        self._version = one.metadata.resource_version
        self._tell(change)
        self._on_change(self._objects)

    def _tell(self, change: Change, detail: str = "") -> None:
        self._report(Event(self._source, change, detail))


def _read(decoder: msgspec.json.Decoder[Read], item: msgspec.Raw) -> Read:
    try:
        return decoder.decode(item)
    except msgspec.DecodeError as error:
        raise ApiTrouble(f"an object cannot be read: {error}") from error
