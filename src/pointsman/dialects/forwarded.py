"""Paths without a meaning of their own here: which are sent on to an engine as they are, and which never."""

from typing import Final
from urllib.parse import unquote

import msgspec

OPERATORS: Final = frozenset(
    {
        "/abort_request",
        "/abort_requests",
        "/adapters",
        "/collective_rpc",
        "/configure_logging",
        "/finish_weight_update",
        "/flush_cache",
        "/get_world_size",
        "/init_weight_transfer_engine",
        "/is_paused",
        "/is_scaling_elastic_ep",
        "/is_sleeping",
        "/kv_event_sources",
        "/load",
        "/load_lora_adapter",
        "/metrics",
        "/pause",
        "/release_memory_occupation",
        "/reset_encoder_cache",
        "/reset_mm_cache",
        "/reset_prefix_cache",
        "/resume",
        "/resume_memory_occupation",
        "/scale_elastic_ep",
        "/server_info",
        "/sleep",
        "/start_profile",
        "/start_weight_update",
        "/stop_profile",
        "/unload_lora_adapter",
        "/update_weights",
        "/update_weights_from_disk",
        "/v1/load_lora_adapter",
        "/v1/unload_lora_adapter",
        "/wake_up",
    }
)
"""What changes an engine, or tells of it (vLLM's and SGLang's): for operators, whatever the document says."""
_DOTS: Final = frozenset({".", ".."})
_KEPT: Final = ("/v1/files", "/v1/batches")
"""Ours even where they are switched off: no engine has them."""


class Forwarded(msgspec.Struct, frozen=True):
    """The document's say: paths that end in a slash stand for everything below them."""

    paths: tuple[str, ...] = ("/v1/", "/v2/", "/inference/", "/version")

    def takes(self, path: str) -> bool:
        """Whether a path that no endpoint of ours has goes to an engine."""
        if operators(path) or kept(path) or _DOTS & set(unquote(path).split("/")):
            return False
        return any(path.startswith(one) if one.endswith("/") else path == one for one in self.paths)


def operators(path: str) -> bool:
    """Whether a path is for those who run engines, read as an engine might read it."""
    plain = unquote(path).rstrip("/").lower()
    return plain in OPERATORS or plain.startswith("/sim/")


def kept(path: str) -> bool:
    """Whether a path belongs to files or batches."""
    plain = unquote(path)
    return any(plain == one or plain.startswith(f"{one}/") for one in _KEPT)
