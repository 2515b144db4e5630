"""The public face: a text in, an `Encoding`, a `Scan` or a vector out."""

import asyncio
import hashlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from pointsman.encoder.batcher import Batcher
from pointsman.encoder.engine import Floats
from pointsman.encoder.errors import EncoderError
from pointsman.encoder.findings import Findings, Part, Plan
from pointsman.encoder.folder import SHIPPED
from pointsman.encoder.load import load_model
from pointsman.encoder.lru import LeastRecentlyUsed
from pointsman.encoder.model import PLACED_CHARACTERS, Model
from pointsman.encoder.passes import SharedPasses
from pointsman.encoder.plugged import GraphQueue, Plug, Plugged, Probabilities, open_plugs
from pointsman.encoder.readings import readings
from pointsman.encoder.tokenizer import Reading, cut
from pointsman.encoder.values import Encoding, Peak, Scan
from pointsman.encoder.windows import Slice, sliced

SHORT_WEIGHT = 128
"""Weight up to which a text may share a pass: 128 characters of ASCII, 32 others, about 32 word pieces."""

WINDOWS_A_PASS = 6
"""Windows of one text read together: 384 word pieces, about 15 ms, after which others get their turn."""

_READ_IN_LOOP = 1000
"""Characters up to which other readings are looked for in the event loop, in a quarter of a millisecond."""

SCANS_KEPT = 256
PARTS_KEPT = 256

_NO_PLUGS: Final[Mapping[str, Plug]] = MappingProxyType({})
_NOTHING_PLUGGED: Final = Plugged()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A reading and the name of its content, which is worked out once."""

    key: bytes
    reading: Reading

    @classmethod
    def of(cls, reading: Reading) -> Self:
        return cls(reading.digest(), reading)


class Encoder:
    """Reads texts with one network; made by `load`, ended by `close`.

    Results are kept by content, identical texts in flight share one pass, and both the memory and the
    queue are bounded. Nothing here holds the event loop: normalising and tokenising happen in the workers.
    """

    def __init__(
        self,
        *,
        model: Model,
        threads: int,
        max_pending: int,
        cache_entries: int,
        scan_tokens: int,
        plugged: Plugged = _NOTHING_PLUGGED,
    ) -> None:
        if scan_tokens < 1:
            raise ValueError(f"scan_tokens must be at least 1: {scan_tokens}")
        self.identity = model.identity
        """Engine, precision and revision: goes with every stored vector, two identities never mix."""
        self.dimension = model.dimension
        """Length of a vector."""
        self.labels = model.labels
        """The domain labels, in the order of the head."""
        self.plugged = MappingProxyType(plugged.labels)
        """The labels of the classifiers that `classify` knows, by name."""
        self._model = model
        self._scan_tokens = scan_tokens
        self._batcher = Batcher[_Asked, Findings](threads=threads, run=self._read)
        self._passes = SharedPasses(max_pending=max_pending)
        self._cache = LeastRecentlyUsed[Findings](cache_entries)
        self._scans = LeastRecentlyUsed[Scan](min(cache_entries, SCANS_KEPT))
        # Of scans under way: who asks for the same text a moment later finds the windows already read.
        self._parts = LeastRecentlyUsed[Part](PARTS_KEPT)
        self._heads = plugged
        self._graphs = {
            name: GraphQueue(graph, max_pending=max_pending, cache_entries=cache_entries)
            for name, graph in plugged.graphs.items()
        }

    @classmethod
    def load(
        cls,
        *,
        directory: Path | None = None,
        engine: str = "onnxruntime",
        threads: int = 2,
        cache_entries: int = 4096,
        max_pending: int = 256,
        scan_tokens: int = 4096,
        plugs: Mapping[str, Plug] = _NO_PLUGS,
    ) -> Self:
        """Load a model folder, by default the one shipped in the package.

        `threads` passes run at once, `max_pending` run or wait, `cache_entries` results are kept (about
        4 KB each), a scan reads about `scan_tokens` word pieces of a text. `plugs` are classifiers of the
        user's own for `classify`. Raises ModelFilesError when the folder is not what its manifest says,
        EngineMissing when `engine` (`onnxruntime` or `openvino`) cannot run here, PlugsRefused for plugs
        that cannot be used, ValueError for bounds that make no sense.
        """
        model = load_model(directory or SHIPPED, engine=engine, threads=threads)
        return cls(
            model=model,
            plugged=open_plugs(plugs, dimension=model.dimension),
            threads=threads,
            max_pending=max_pending,
            cache_entries=cache_entries,
            scan_tokens=scan_tokens,
        )

    async def encode(self, text: str) -> Encoding:
        """Read the head and the tail of a text; a short text may share its pass with others.

        Raises EncoderBusy when too many passes are pending, EncoderError after `close`.
        """
        return (await self._findings(cut(text))).encoding

    def encode_now(self, text: str) -> Encoding:
        """Encode a text in the calling thread, alone, for scripts and the command line."""
        asked = _Asked.of(cut(text))
        known = self._cache.get(asked.key)
        return (known or self._read([asked])[0]).encoding

    def embed_now(self, text: str) -> Floats:
        """Give what `embed` gives, in the calling thread: of a text read alone, equal to the last bit."""
        asked = _Asked.of(cut(text))
        known = self._cache.get(asked.key)
        if known is None or not known.alone:
            known = self._read([asked])[0]
        return known.encoding.embedding

    async def embed(self, text: str) -> Floats:
        """Give the unit vector of a text, shape (dimension,), equal to the last bit whenever it is asked for.

        It is read alone, in the pass that `encode` would make of it. Raises as `encode` does.
        """
        asked = _Asked.of(cut(text))
        known = self._cache.get(asked.key)
        if known is None or not known.alone:
            known = await self._passes.result(b"alone" + asked.key, partial(self._start_alone, asked))
        return known.encoding.embedding

    async def classify(self, name: str, text: str) -> Probabilities:
        """Give what a classifier of the user's own makes of a text: each of its labels' probability.

        A head reads the pass of `encode` and costs none of its own. A graph runs in the same threads, with
        room for `max_pending` passes of its own. Raises KeyError for a name not in `plugged`, EncoderBusy
        when too many passes are pending, EncoderError when the pass fails, the probabilities are not
        numbers, or after `close`.
        """
        reading = cut(text)
        graph = self._graphs.get(name)
        if graph is not None:
            found = await graph.probabilities(reading, self._batcher.alone)
        else:
            found = (await self._findings(reading)).plugged[name]
        if not all(map(math.isfinite, found.values())):
            raise EncoderError(f"the classifier {name} gives probabilities that are not finite")
        return found

    async def scan(self, text: str) -> Scan:
        """Look at all of a text through small windows, for what guards must not miss.

        A text of one window shares the pass of `encode`. What was written so as not to be read is read
        decoded too (`readings`): the peak may be that of a decoded stretch. Raises as `encode` does.
        """
        written = await self._scan(text)
        if len(text) <= _READ_IN_LOOP:
            others = readings(text)
        else:
            others = await asyncio.wrap_future(self._batcher.alone(partial(readings, text)))
        if not others:
            return written
        scans = [(await self._scan(other.text)).jailbreak.probability for other in others]
        highest, other = max(zip(scans, others, strict=True), key=lambda each: each[0])
        if highest <= written.jailbreak.probability and not any(each.instead for each in others):
            return written
        return replace(written, jailbreak=Peak(highest, other.start, other.end), disguised=True)

    async def _scan(self, text: str) -> Scan:
        """Look at a text as it is written."""
        reading = cut(text)
        # Characters that had to be replaced would put the places of entities out of step with the text.
        if len(text) <= PLACED_CHARACTERS and reading.head == text:
            found = (await self._findings(reading)).scan
            if found is not None:
                return found
        slices = sliced(text, tokens=self._scan_tokens)
        key = _digest(slices, len(text))
        return self._scans.get(key) or await self._scanned(key, slices)

    def close(self) -> None:
        """End the worker threads and forget the results; passes still waiting raise EncoderError."""
        self._passes.close()
        for graph in self._graphs.values():
            graph.close()
        self._batcher.close()
        self._cache.clear()
        self._scans.clear()
        self._parts.clear()

    async def _findings(self, reading: Reading) -> Findings:
        asked = _Asked.of(reading)
        known = self._cache.get(asked.key)
        return (
            known if known is not None else await self._passes.result(asked.key, partial(self._start, asked))
        )

    def _start(self, asked: _Asked) -> Future[Findings]:
        head = asked.reading.head
        weight = len(head) * (1 if head.isascii() else 4)
        if weight <= SHORT_WEIGHT:
            return self._batcher.together(asked, weight=weight)
        return self._start_alone(asked)

    def _start_alone(self, asked: _Asked) -> Future[Findings]:
        return self._batcher.alone(lambda: self._read([asked])[0])

    def _read(self, asked: Sequence[_Asked]) -> list[Findings]:
        found = [self._classified(each) for each in self._model.read([each.reading for each in asked])]
        for each, told in zip(asked, found, strict=True):
            # Kept before the pass ends, so that no moment exists in which it is neither pending nor known.
            known = self._cache.get(each.key)
            if known is None or not known.alone:
                self._cache.put(each.key, told)
        return found

    def _classified(self, found: Findings) -> Findings:
        """Have the user's heads read the features of a pass, which are then let go: they are 4.5 KB."""
        plugged = self._heads.told(found.features, found.encoding.embedding)
        return replace(found, features=None, plugged=plugged)

    async def _scanned(self, key: bytes, slices: tuple[Slice, ...]) -> Scan:
        plan = await self._passes.result(
            b"plan" + key,
            lambda: self._batcher.alone(partial(self._model.plan, slices, tokens=self._scan_tokens)),
        )
        tasks = [
            asyncio.ensure_future(self._part(key, plan, start))
            for start in range(0, len(plan.windows), WINDOWS_A_PASS)
        ]
        try:
            found = plan.conclude(await asyncio.gather(*tasks))
        finally:
            # One part refused or the caller gone: the others are for nobody.
            for task in tasks:
                task.cancel()
        self._scans.put(key, found)
        return found

    async def _part(self, key: bytes, plan: Plan, start: int) -> Part:
        name = b"part%d:" % start + key
        known = self._parts.get(name)
        if known is not None:
            return known
        return await self._passes.result(
            name, lambda: self._batcher.alone(partial(self._read_part, name, plan, start))
        )

    def _read_part(self, name: bytes, plan: Plan, start: int) -> Part:
        part = self._model.scan(plan, plan.windows[start : start + WINDOWS_A_PASS])
        self._parts.put(name, part)
        return part


def _digest(slices: tuple[Slice, ...], length: int) -> bytes:
    """Name what a scan reads; the places of the slices follow from the length of the whole."""
    name = hashlib.blake2b(str(length).encode(), digest_size=16)
    for each in slices:
        name.update(each.text.encode("utf-8", "surrogatepass"))
    return name.digest()
