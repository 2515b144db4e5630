"""Classifiers of the user's own beside the encoder: heads that read its pass, and graphs in its threads."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pointsman.encoder.engine import Floats
from pointsman.encoder.lru import LeastRecentlyUsed
from pointsman.encoder.passes import SharedPasses
from pointsman.encoder.plug_errors import PlugRefused, PlugsRefused
from pointsman.encoder.plugged_graph import PluggedGraph
from pointsman.encoder.plugged_head import PluggedHead, read_head
from pointsman.encoder.tokenizer import Reading

GRAPH, HEAD = "model.onnx", "head.npz"
"""What a folder is looked through for, in this order."""

Probabilities = Mapping[str, float]
"""Every label with its probability; not finite where a classifier's numbers overflow on the text."""

Queue = Callable[[Callable[[], Probabilities]], Future[Probabilities]]
"""Has something run in a worker thread."""


@dataclass(frozen=True, slots=True)
class Plug:
    """What the document says of a classifier of the user's own."""

    path: str
    """A head (.npz), a graph (.onnx) with its tokenizer.json beside it, or the folder of either."""

    labels: tuple[str, ...] = ()
    """Empty where the files are to say."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """Classifiers that have been opened, by name."""

    heads: Mapping[str, PluggedHead] = field(default_factory=dict)
    graphs: Mapping[str, PluggedGraph] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each."""
        heads = {name: head.labels for name, head in self.heads.items()}
        return heads | {name: graph.labels for name, graph in self.graphs.items()}

    def told(self, features: Floats | None, embedding: Floats) -> Mapping[str, Probabilities]:
        """Give what each head makes of one text's pass."""
        if features is None:
            return {}
        return {
            name: _named(head.labels, head.probabilities(features, embedding))
            for name, head in self.heads.items()
        }


class GraphQueue:
    """One graph behind a bound and a memory of its own, so that the encoder's never fill with its texts."""

    def __init__(self, graph: PluggedGraph, *, max_pending: int, cache_entries: int) -> None:
        self._graph = graph
        self._passes = SharedPasses(max_pending=max_pending)
        self._cache = LeastRecentlyUsed[Probabilities](cache_entries)

    async def probabilities(self, reading: Reading, queue: Queue) -> Probabilities:
        """Give the probabilities for a text; raises EncoderBusy, or EncoderError when the pass fails."""
        key = reading.digest()
        known = self._cache.get(key)
        if known is not None:
            return known
        return await self._passes.result(key, lambda: queue(partial(self._run, key, reading)))

    def close(self) -> None:
        """Start no more passes and forget the results."""
        self._passes.close()
        self._cache.clear()

    def _run(self, key: bytes, reading: Reading) -> Probabilities:
        found = _named(self._graph.labels, self._graph.probabilities(reading))
        self._cache.put(key, found)
        return found


def open_plugs(plugs: Mapping[str, Plug], *, dimension: int) -> Plugged:
    """Open the classifiers beside a network of this dimension.

    Raises PlugsRefused with every one that cannot be used.
    """
    heads: dict[str, PluggedHead] = {}
    graphs: dict[str, PluggedGraph] = {}
    faults: dict[str, PlugRefused] = {}
    for name, plug in plugs.items():
        try:
            file = _file(plug.path)
            if file.suffix == ".npz":
                heads[name] = read_head(file, labels=plug.labels, dimension=dimension)
            else:
                graphs[name] = PluggedGraph(file, labels=plug.labels)
        except PlugRefused as error:
            faults[name] = error
    if faults:
        raise PlugsRefused(faults)
    return Plugged(heads, graphs)


def _file(written: str) -> Path:
    """Find the head or the graph that a path means."""
    path = Path(written)
    if not written.strip():
        raise PlugRefused("a local classifier has no path", "give the path of its file or folder")
    if path.is_dir():
        found = next((path / name for name in (GRAPH, HEAD) if (path / name).is_file()), None)
        if found is None:
            raise PlugRefused(
                f"the folder {written!r} has neither {GRAPH} nor {HEAD}", "put one of them there"
            )
        return found
    if not path.is_file():
        raise PlugRefused(
            f"{written!r} is neither a file nor a folder here",
            f"give a path on this machine, from {Path.cwd()} on if it is relative; nothing is downloaded",
        )
    if path.suffix not in {".npz", ".onnx"}:
        raise PlugRefused(f"{written!r} is neither .npz nor .onnx", "give a head, a graph, or their folder")
    return path


def _named(labels: tuple[str, ...], probabilities: Floats) -> Probabilities:
    return MappingProxyType(dict(zip(labels, probabilities.tolist(), strict=True)))
