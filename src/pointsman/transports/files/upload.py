"""An uploaded file on its way to the disk, piece by piece: it is never held in memory."""

import asyncio
from pathlib import Path
from typing import Final

from aiohttp import BodyPartReader, ClientPayloadError, web

from pointsman.batches.store import Store
from pointsman.batches.values import File, StoredFile
from pointsman.core.errors import RequestError

_PIECE: Final = 256 << 10
_LONGEST_S: Final = 3600.0
"""An upload that takes longer is given up."""
_MOST_FIELDS: Final = 16
_FIELD: Final = 4096
"""Bytes of a text field."""
MIN_LIFE_S: Final = 3600
MAX_LIFE_S: Final = 30 * 86400
_EXPIRES: Final = {"expires_after[anchor]": "anchor", "expires_after[seconds]": "seconds"}


class TooLarge(RequestError):
    """More bytes than a file may have (413)."""

    status = 413


async def receive(request: web.Request, store: Store, owner: str, *, keep_s: float, now: int) -> File:
    """Store the file of a form. Raises ``HttpError``; nothing is left of a file that was refused."""
    if request.content_type != "multipart/form-data":
        raise RequestError("content-type: a file is uploaded as multipart/form-data")
    identity, path = store.new_upload()
    form = _Form(path, store)
    try:
        async with asyncio.timeout(_LONGEST_S):
            async for part in await request.multipart():
                await form.take(part)
        life = form.checked()
        expires = now + int(keep_s if life is None else life)
        file = File(identity, form.size, now, form.name[:255], "batch", expires)
        store.add_file(path, StoredFile(file, owner))
    except TimeoutError as error:
        raise RequestError(f"the upload did not end within {_LONGEST_S:g} s") from error
    except (ValueError, ClientPayloadError) as error:
        raise RequestError(f"malformed multipart form: {error}") from error
    else:
        return file
    finally:
        path.unlink(missing_ok=True)
        store.release(form.size)


class _Form:
    """What has come of a form. ``size`` bytes of its file are reserved in the store."""

    def __init__(self, path: Path, store: Store) -> None:
        self.name = ""
        self.size = 0
        self._path = path
        self._store = store
        self._fields: dict[str, str] = {}
        self._written = False

    async def take(self, part: object) -> None:
        """The next part."""
        if not isinstance(part, BodyPartReader):
            raise RequestError("malformed multipart form: parts within parts")
        if part.name == "file":
            if self._written:
                raise RequestError("file: is given more than once", param="file")
            self.name, self._written = part.filename or "", True
            await self._write(part)
        elif len(self._fields) < _MOST_FIELDS:
            self._fields[str(part.name)] = await _text(part)

    def checked(self) -> int | None:
        """Seconds until the file expires, where the client says so. Raises ``RequestError``."""
        if not self._written:
            raise RequestError("file: is missing", param="file")
        if self._fields.get("purpose") != "batch":
            raise RequestError('purpose: only "batch" is supported', param="purpose")
        return _life(self._fields)

    async def _write(self, part: BodyPartReader) -> None:
        most = self._store.bounds.max_file_bytes
        with self._path.open("wb") as file:
            while piece := await part.read_chunk(_PIECE):
                if self.size + len(piece) > most:
                    raise TooLarge(f"a file has at most {most} bytes", param="file")
                self._store.reserve(len(piece))
                self.size += len(piece)
                await asyncio.to_thread(file.write, piece)


async def _text(part: BodyPartReader) -> str:
    said = await part.read_chunk(_FIELD)
    if await part.read_chunk(1):
        raise RequestError(f"{part.name}: is longer than {_FIELD} bytes")
    return said.decode("utf-8", "replace")


def _life(fields: dict[str, str]) -> int | None:
    """Seconds until the file expires, where the client says so."""
    said = {name: fields[key] for key, name in _EXPIRES.items() if key in fields}
    if not said:
        return None
    seconds = said.get("seconds", "")
    if said.get("anchor") != "created_at" or not (seconds.isdigit() and len(seconds) < 12):
        message = 'expires_after: anchor must be "created_at" and seconds a number'
        raise RequestError(message, param="expires_after")
    if not MIN_LIFE_S <= int(seconds) <= MAX_LIFE_S:
        message = f"expires_after.seconds: must be {MIN_LIFE_S} to {MAX_LIFE_S}"
        raise RequestError(message, param="expires_after")
    return int(seconds)
