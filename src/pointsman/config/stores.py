"""``global.stores``: response cache, memories and vector stores."""

from typing import Any, Literal

from pydantic import Field, model_validator

from pointsman.config.backends import (
    MilvusServer,
    Postgres,
    QdrantServer,
    ValkeyServer,
    VectorStore,
)
from pointsman.config.base import Count, Names, Part, Positive, Secret, Unit, Weight
from pointsman.config.plugins_context import Reflection

EmbeddingModel = Literal["bert", "qwen3", "gemma", "mmbert", "multimodal"]
"""Names of embedding models in the document."""


class ResponseCacheStore(Part):
    """Where cached answers live."""

    enabled: bool = Field(default=True, description="Whether decisions may cache at all.")
    backend_type: Literal["memory", "hybrid", "redis", "valkey", "milvus", "qdrant"] = Field(
        "memory", description="Kind of store."
    )
    similarity_threshold: Unit | None = Field(None, description="Least similarity of a hit; unset is 0.8.")
    max_entries: Positive = Field(1000, description="Most answers kept in memory.")
    max_bytes: Positive = Field(64 * 2**20, description="Most memory of all answers together, bytes.")
    max_answer_bytes: Positive = Field(2**18, description="Largest answer that is kept, bytes.")
    timeout_ms: Positive = Field(
        250, description="Longest look at the cache, milliseconds; then the request goes on without it."
    )
    wait_ms: Count = Field(
        250,
        description=(
            "Longest wait for another request with the same question, milliseconds; 0 sends both to a model."
        ),
    )
    ttl_seconds: Count = Field(
        3600, description="Lifetime of an answer, seconds; 0 keeps it until it has to leave."
    )
    eviction_policy: Literal["fifo", "lru", "lfu"] = Field("fifo", description="Which answer goes first.")
    embedding_model: EmbeddingModel | None = Field(None, description="Model that measures similarity.")
    redis: VectorStore | None = Field(None, description="The Redis store.")
    valkey: VectorStore | None = Field(None, description="The Valkey store.")
    milvus: VectorStore | None = Field(None, description="The Milvus store.")
    qdrant: QdrantServer | None = Field(None, description="The Qdrant store.")


class QualityScoring(Part):
    """How memories fade."""

    initial_strength_days: Weight | None = Field(None, description="Days a new memory lasts.")
    prune_threshold: Unit | None = Field(None, description="Strength below which it is dropped.")
    max_memories_per_user: Positive | None = Field(None, description="Most memories of a user.")


class MemoryCache(Part):
    """A cache before the memory store."""

    enabled: bool = Field(default=False, description="Whether it is used.")
    address: str = Field("", description="host:port of a Redis server.")
    ttl_seconds: Count = Field(300, description="Lifetime of an entry, seconds.")
    db: Count = Field(0, description="Database number.")
    key_prefix: str = Field("", description="Prefix of the keys.")
    password: Secret | None = Field(None, description="Password.")


class MemoryStore(Part):
    """Where memories of users live."""

    enabled: bool = Field(default=False, description="Whether memories are kept.")
    backend: Literal["milvus", "valkey", "qdrant"] = Field("milvus", description="Kind of store.")
    auto_store: bool = Field(default=False, description="Whether facts are remembered from answers.")
    disabled_routes: Names = Field((), description="Decisions without memories.")
    disabled_models: Names = Field((), description="Models without memories.")
    milvus: MilvusServer | None = Field(None, description="The Milvus store.")
    valkey: ValkeyServer | None = Field(None, description="The Valkey store.")
    qdrant: QdrantServer | None = Field(None, description="The Qdrant store.")
    redis_cache: MemoryCache | None = Field(None, description="A cache before the store.")
    embedding_model: EmbeddingModel | None = Field(None, description="Model that measures similarity.")
    extraction_batch_size: Positive = Field(10, description="Turns examined together for facts.")
    default_retrieval_limit: Positive = Field(5, description="Most memories injected.")
    default_similarity_threshold: Unit = Field(0.7, description="Least similarity of a memory.")
    hybrid_search: bool = Field(default=False, description="Whether words count beside meaning.")
    hybrid_mode: str = Field("", description="How both combine.")
    adaptive_threshold: bool = Field(default=False, description="Whether the threshold follows the results.")
    quality_scoring: QualityScoring | None = Field(None, description="How memories fade.")
    reflection: Reflection | None = Field(None, description="Which memories are injected.")


class VectorMemory(Part):
    """Vectors kept in this process."""

    max_entries_per_store: Positive | None = Field(None, description="Most vectors of a store.")


class LlamaStack(Part):
    """A Llama Stack server."""

    endpoint: str = Field("", description="URL of the server.")
    auth_token: Secret | None = Field(None, description="Token.")
    embedding_model: str = Field("", description="Its embedding model.")
    request_timeout_seconds: Positive | None = Field(None, description="Longest request, seconds.")
    search_type: str = Field("", description="Kind of search.")


class VectorStoreService(Part):
    """Uploaded documents, searchable by meaning."""

    enabled: bool = Field(default=False, description="Whether documents may be uploaded.")
    backend_type: Literal["memory", "milvus", "valkey", "qdrant", "llama_stack"] = Field(
        "memory", description="Kind of store."
    )
    file_storage_dir: str = Field("", description="Folder of uploaded files.")
    max_file_size_mb: Positive | None = Field(None, description="Largest file, MiB.")
    embedding_model: EmbeddingModel | None = Field(None, description="Model that measures similarity.")
    embedding_dimension: Positive | None = Field(None, description="Dimensions of the vectors.")
    ingestion_workers: Positive | None = Field(None, description="Files read at the same time.")
    ingestion_drain_timeout_seconds: Count | None = Field(None, description="Longest finishing, seconds.")
    supported_formats: Names = Field((), description="File endings accepted.")
    memory: VectorMemory | None = Field(None, description="Vectors in this process.")
    milvus: VectorStore | None = Field(None, description="The Milvus store.")
    valkey: ValkeyServer | None = Field(None, description="The Valkey store.")
    qdrant: QdrantServer | None = Field(None, description="The Qdrant store.")
    llama_stack: LlamaStack | None = Field(None, description="The Llama Stack server.")
    metadata_store: Literal["memory", "postgres"] = Field("memory", description="Where file records live.")
    metadata_postgres: Postgres | None = Field(None, description="The PostgreSQL database.")


class Stores(Part):
    """Everything that remembers; ``semantic_cache`` is the older name of ``response_cache``."""

    response_cache: ResponseCacheStore = Field(
        default_factory=ResponseCacheStore, description="Cached answers; semantic_cache is its older name."
    )
    memory: MemoryStore = Field(default_factory=MemoryStore, description="Memories of users.")
    vector_store: VectorStoreService = Field(
        default_factory=VectorStoreService, description="Uploaded documents."
    )

    @model_validator(mode="before")
    @classmethod
    def _older_name(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "semantic_cache" not in data:
            return data
        if "response_cache" in data:
            raise ValueError("has both response_cache and its older name semantic_cache: keep response_cache")
        return {("response_cache" if key == "semantic_cache" else key): value for key, value in data.items()}
