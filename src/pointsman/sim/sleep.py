"""POST /sleep and /wake_up, GET /is_sleeping, POST /reset_prefix_cache: vLLM's routes for operators."""

from aiohttp import web

from pointsman.sim import errors, wire
from pointsman.sim.engine import SleepLevel
from pointsman.sim.server import SIM

_LEVELS: dict[str, SleepLevel] = {"0": 0, "1": 1, "2": 2}


async def sleep(request: web.Request) -> web.Response:
    """Put the engine to sleep. Raises ApiError (400)."""
    level = _LEVELS.get(request.query.get("level", "1"))
    if level is None:
        raise errors.invalid("level is 0, 1 or 2", "level")
    request.app[SIM].engine.fall_asleep(level)
    return web.Response()


async def wake_up(request: web.Request) -> web.Response:
    """Wake the engine, whole whatever `tags` say."""
    request.app[SIM].engine.wake_up()
    return web.Response()


async def is_sleeping(request: web.Request) -> web.Response:
    """Whether it sleeps."""
    body = wire.dump({"is_sleeping": request.app[SIM].engine.sleep_level is not None})
    return web.Response(body=body, content_type="application/json")


async def reset_prefix_cache(request: web.Request) -> web.Response:
    """Empty the cache unless running requests use it; the event of it comes with the next engine step."""
    cache = request.app[SIM].engine.cache
    if not cache.held:
        cache.clear()
    return web.Response()
