"""A response's body, up to a bound."""

import aiohttp


async def read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """All of it. Raises ``aiohttp.ClientPayloadError`` where that is more than ``limit`` bytes."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > limit:
            response.close()
            raise aiohttp.ClientPayloadError(f"more than {limit} bytes")
    return bytes(body)
