"""What is kept on disk, and how much."""

from pathlib import Path

import pytest

from pointsman.batches.store import Bounds, Full, Store, changed
from pointsman.batches.values import Batch, Counts, File, StoredBatch, StoredFile
from pointsman.core.errors import EndpointNotFound, StartError


def add(store: Store, data: bytes = b"abc", *, owner: str = "", expires: int | None = None) -> str:
    identity, path = store.new_upload()
    path.write_bytes(data)
    store.add_file(path, StoredFile(File(identity, len(data), 1, "f", "batch", expires), owner))
    return identity


def batch(store: Store, file: str, **fields: object) -> str:
    value = Batch(store.new_batch_id(), "/v1/embeddings", file, created_at=1, expires_at=99)
    store.put_batch(changed(StoredBatch(value), **fields))
    return value.id


def test_a_restart_finds_what_was_there(tmp_path: Path) -> None:
    """Files with their bytes, batches with their state; half an upload and torn records are gone."""
    store = Store(tmp_path, Bounds())
    file = add(store)
    running = batch(store, file, status="in_progress", request_counts=Counts(5))
    store.new_upload()[1].write_bytes(b"half")
    lost = add(store)
    store.path(lost).unlink()
    (tmp_path / "file-bad.json").write_bytes(b"{")
    store.close()
    again = Store(tmp_path, Bounds())
    assert [one.value.id for one in again.files] == [file]
    assert again.path(file).read_bytes() == b"abc"
    assert again.known(running).value.request_counts.total == 5
    assert not [*tmp_path.glob("*.part"), *tmp_path.glob("*.tmp")]
    again.close()


def test_one_gateway_has_a_folder(tmp_path: Path) -> None:
    """A second one does not start; after the first it may."""
    store = Store(tmp_path, Bounds())
    with pytest.raises(StartError, match="another gateway"):
        Store(tmp_path, Bounds())
    store.close()
    Store(tmp_path, Bounds()).close()


def test_a_folder_that_cannot_be_made_keeps_it_from_starting(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(StartError, match="cannot be kept"):
        Store(tmp_path / "x" / "y", Bounds())


def test_everything_is_bounded(tmp_path: Path) -> None:
    """Files, bytes under way and at rest, batches."""
    store = Store(tmp_path, Bounds(max_files=2, max_bytes=10, max_batches=1))
    file = add(store, b"x" * 6)
    store.reserve(4)
    with pytest.raises(Full):
        store.reserve(1)
    store.release(4)
    store.reserve(1)
    add(store, b"")
    with pytest.raises(Full, match="2 files"):
        store.new_upload()
    batch(store, file)
    with pytest.raises(Full, match="1 batches"):
        store.new_batch_id()
    store.close()


def test_results_take_room_until_they_are_thrown_away(tmp_path: Path) -> None:
    """Before and after a restart, and as a file of their own."""
    store = Store(tmp_path, Bounds(max_bytes=10))
    running = batch(store, "file-x")
    store.reserve(8)
    store.results(running, "out").write_bytes(b"x" * 8)
    store.close()
    store = Store(tmp_path, Bounds(max_bytes=10))
    with pytest.raises(Full):
        store.reserve(3)
    identity = store.collected(running, "out")
    assert identity is not None
    store.adopt(running, "out", identity, "o", 60)
    store.adopt(running, "out", identity, "o", 60)
    assert (store.file(identity).value.bytes, store.collected(running, "out")) == (8, None)
    with pytest.raises(Full):
        store.reserve(3)
    store.remove_file(identity)
    store.reserve(10)
    store.close()


def test_what_expired_goes_and_what_is_used_stays(tmp_path: Path) -> None:
    """Files by their own time, batches by the document's; the input of a running batch is kept."""
    store = Store(tmp_path, Bounds(), now=lambda: 1000.0)
    used, gone, kept = add(store, expires=5), add(store, expires=5), add(store, expires=5000)
    running, ended = batch(store, used), batch(store, used, status="completed")
    store.sweep(100)
    assert {one.value.id for one in store.files} == {used, kept}
    assert [one.value.id for one in store.batches] == [running]
    for identity in (gone, "file-1/../../etc/passwd", "lock"):
        with pytest.raises(EndpointNotFound):
            store.file(identity)
    with pytest.raises(EndpointNotFound):
        store.batch(ended)
    with pytest.raises(EndpointNotFound):
        store.path("../lock")
    store.close()


def test_owners_see_their_own(tmp_path: Path) -> None:
    """Another's file is one that does not exist."""
    store = Store(tmp_path, Bounds())
    file = add(store, owner="ann")
    assert store.file(file, "ann").owner == "ann"
    for other in ("", "bob"):
        with pytest.raises(EndpointNotFound):
            store.file(file, other)
    store.close()
