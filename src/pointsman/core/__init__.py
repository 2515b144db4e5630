"""Values and pure rules that every other package speaks in: no I/O, no asyncio, no logging."""
