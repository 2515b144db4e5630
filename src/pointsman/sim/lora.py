"""POST /v1/load_lora_adapter and /v1/unload_lora_adapter."""

import msgspec
from aiohttp import web

from pointsman.sim import errors
from pointsman.sim.adapters import AdapterLoadedError, AdaptersFullError
from pointsman.sim.envelope import receive
from pointsman.sim.server import SIM


class LoadBody(msgspec.Struct, frozen=True):
    """The adapter to load."""

    lora_name: str
    lora_path: str
    load_inplace: bool = False


class UnloadBody(msgspec.Struct, frozen=True):
    """The adapter to unload."""

    lora_name: str


async def load(request: web.Request) -> web.Response:
    """Load an adapter; its path is noted, not opened. Raises ApiError (400)."""
    body = (await receive(request)).read_as(LoadBody)
    if not body.lora_name or not body.lora_path:
        raise _refused("Both 'lora_name' and 'lora_path' must be provided.")
    adapters = request.app[SIM].engine.adapters
    try:
        adapters.load(body.lora_name, body.lora_path, in_place=body.load_inplace)
    except AdapterLoadedError:
        raise _refused(
            f"The lora adapter '{body.lora_name}' has already been loaded. "
            "To replace it send load_inplace: true."
        ) from None
    except AdaptersFullError:
        raise _refused(
            f"{len(adapters)} adapters are loaded, which is the most; unload one or raise --max-cpu-loras."
        ) from None
    return web.Response(text=f"Success: LoRA adapter '{body.lora_name}' added successfully.")


async def unload(request: web.Request) -> web.Response:
    """Unload an adapter. Raises ApiError (400, 404)."""
    body = (await receive(request)).read_as(UnloadBody)
    if not request.app[SIM].engine.adapters.unload(body.lora_name):
        raise errors.ApiError(404, f"The lora adapter '{body.lora_name}' cannot be found.")
    return web.Response(text=f"Success: LoRA adapter '{body.lora_name}' removed successfully.")


def _refused(message: str) -> errors.ApiError:
    return errors.ApiError(400, message, kind="InvalidUserInput")
