"""The LoRA adapters an engine has loaded."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.sim.settings import SimSettings


class AdapterLoadedError(Exception):
    """The name is taken, by an adapter or by the base model."""


class AdaptersFullError(Exception):
    """As many adapters are loaded as may be."""


@dataclass(frozen=True)
class Adapter:
    """One loaded adapter."""

    number: int
    """vLLM's `lora_int_id`: counts from 1, never used twice."""
    path: str
    parent: str


class Adapters:
    """Adapters by name: those of the settings, and those loaded since."""

    def __init__(self, settings: SimSettings) -> None:
        self._model = settings.model
        self._most = settings.max_cpu_loras
        self._loaded: dict[str, Adapter] = {}
        self._given = 0
        for name, path in settings.adapters().items():
            self.load(name, path)

    def __contains__(self, name: str) -> bool:
        return name in self._loaded

    def __len__(self) -> int:
        return len(self._loaded)

    def __iter__(self) -> Iterator[tuple[str, Adapter]]:
        return iter(self._loaded.items())

    def number(self, name: str) -> int | None:
        """The number of an adapter; None for any other name."""
        found = self._loaded.get(name)
        return found.number if found else None

    def load(self, name: str, path: str, *, in_place: bool = False) -> None:
        """Load an adapter. Raises AdapterLoadedError and AdaptersFullError."""
        if name == self._model or (name in self._loaded and not in_place):
            raise AdapterLoadedError
        if name not in self._loaded and len(self._loaded) >= self._most:
            raise AdaptersFullError
        self._given += 1
        self._loaded[name] = Adapter(self._given, path, self._model)

    def unload(self, name: str) -> bool:
        """Unload an adapter; False when there is none of this name. Running requests finish."""
        return self._loaded.pop(name, None) is not None
