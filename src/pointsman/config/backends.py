"""Connections to databases, shared by everything that stores something."""

from pydantic import Field

from pointsman.config.base import Count, Free, Names, Part, Port, Positive, Secret


class RedisServer(Part):
    """A Redis server addressed as host:port, with the spellings its users have."""

    address: str = Field("", description="host:port.")
    db: Count = Field(0, description="Database number.")
    password: Secret | None = Field(None, description="Password.")
    key_prefix: str = Field("", description="Prefix of the keys.")
    cluster_mode: bool = Field(default=False, description="Whether it is a cluster.")
    cluster_addresses: Names = Field((), description="host:port of cluster members.")
    pool_size: Positive | None = Field(None, description="Most connections.")
    min_idle_conns: Count | None = Field(None, description="Connections kept open.")
    max_retries: Count | None = Field(None, description="Retries of a command.")
    dial_timeout: Count | None = Field(None, description="Longest connecting, seconds.")
    read_timeout: Count | None = Field(None, description="Longest reading, seconds.")
    write_timeout: Count | None = Field(None, description="Longest writing, seconds.")
    use_tls: bool = Field(default=False, description="Whether the connection is encrypted.")
    tls_enabled: bool = Field(default=False, description="Other spelling of use_tls.")
    tls_skip_verify: bool = Field(default=False, description="Whether certificates go unchecked.")
    tls_cert_path: str = Field("", description="Client certificate.")
    tls_key_path: str = Field("", description="Key of the client certificate.")
    tls_ca_path: str = Field("", description="Certificate authority.")
    config_path: str = Field("", description="File with further settings.")


class Postgres(Part):
    """A PostgreSQL database."""

    host: str = Field("", description="Host name.")
    port: Port = Field(5432, description="TCP port.")
    database: str = Field("", description="Database name.")
    user: str = Field("", description="User name.")
    password: Secret | None = Field(None, description="Password.")
    ssl_mode: str = Field("", description="TLS mode.")
    max_open_conns: Positive | None = Field(None, description="Most connections.")
    max_idle_conns: Count | None = Field(None, description="Connections kept open.")
    conn_max_lifetime: Count | None = Field(None, description="Lifetime of a connection, seconds.")
    table_name: str = Field("", description="Table.")


class QdrantServer(Part):
    """A Qdrant server and collection."""

    host: str = Field("", description="Host name.")
    port: Port = Field(6334, description="TCP port of its gRPC API.")
    api_key: Secret | None = Field(None, description="Key.")
    use_tls: bool = Field(default=False, description="Whether the connection is encrypted.")
    connect_timeout: Count | None = Field(None, description="Longest connecting, seconds.")
    collection: str = Field("", description="Collection.")
    collection_name: str = Field("", description="Other spelling of collection.")
    collection_prefix: str = Field("", description="Prefix of collections.")
    dimension: Positive | None = Field(None, description="Dimensions of the vectors.")


class MilvusServer(Part):
    """A Milvus server addressed as host:port."""

    address: str = Field("", description="host:port.")
    username: str = Field("", description="User name.")
    password: Secret | None = Field(None, description="Password.")
    collection: str = Field("", description="Collection.")
    collection_name: str = Field("", description="Other spelling of collection.")
    consistency_level: str = Field("", description="Consistency of reads.")
    shard_num: Positive | None = Field(None, description="Shards of the collection.")
    dimension: Positive | None = Field(None, description="Dimensions of the vectors.")
    num_partitions: Positive | None = Field(None, description="Partitions of the collection.")


class ValkeyServer(Part):
    """A Valkey server with a vector index."""

    host: str = Field("", description="Host name.")
    port: Port = Field(6379, description="TCP port.")
    database: Count = Field(0, description="Database number.")
    password: Secret | None = Field(None, description="Password.")
    timeout: Count | None = Field(None, description="Longest access, seconds.")
    connect_timeout: Count | None = Field(None, description="Longest connecting, seconds.")
    collection_prefix: str = Field("", description="Prefix of the keys.")
    index_name: str = Field("", description="Vector index.")
    dimension: Positive | None = Field(None, description="Dimensions of the vectors.")
    metric_type: str = Field("", description="Distance of the index.")
    index_m: Positive | None = Field(None, description="Links per node of the index.")
    index_ef_construction: Positive | None = Field(None, description="Effort of building the index.")
    tls_enabled: bool = Field(default=False, description="Whether the connection is encrypted.")
    tls_ca_path: str = Field("", description="Certificate authority.")
    tls_insecure_skip_verify: bool = Field(default=False, description="Whether certificates go unchecked.")


class Tls(Part):
    """Encryption of a connection."""

    enabled: bool = Field(default=False, description="Whether it is encrypted.")
    cert_file: str = Field("", description="Client certificate.")
    key_file: str = Field("", description="Key of the client certificate.")
    ca_file: str = Field("", description="Certificate authority.")


class Auth(Part):
    """User and password of a connection."""

    enabled: bool = Field(default=False, description="Whether they are sent.")
    username: str = Field("", description="User name.")
    password: Secret | None = Field(None, description="Password.")


class Connection(Part):
    """A connection to a vector store."""

    host: str = Field("", description="Host name.")
    port: Port | None = Field(None, description="TCP port; unset uses the store's usual one.")
    database: str = Field("", coerce_numbers_to_str=True, description="Database name or number.")
    password: Secret | None = Field(None, description="Password.")
    timeout: Count | None = Field(None, description="Longest access, seconds.")
    auth: Auth | None = Field(None, description="User and password.")
    tls: Tls | None = Field(None, description="Encryption.")


class VectorField(Part):
    """The indexed field."""

    name: str = Field("", description="Name of the field.")
    dimension: Positive | None = Field(None, description="Dimensions of the vectors.")
    metric_type: str = Field("", description="Distance.")


class IndexParams(Part):
    """Parameters of an HNSW index."""

    m: Positive | None = Field(None, alias="M", description="Links per node.")
    ef_construction: Positive | None = Field(None, alias="efConstruction", description="Effort of building.")


class VectorIndex(Part):
    """A vector index."""

    name: str = Field("", description="Name of the index.")
    prefix: str = Field("", description="Prefix of the keys.")
    vector_field: VectorField | None = Field(None, description="The indexed field.")
    index_type: str = Field("", description="Kind of index.")
    type: str = Field("", description="Kind of index, other spelling.")
    params: IndexParams | None = Field(None, description="Parameters.")


class VectorCollection(Part):
    """A collection of vectors."""

    name: str = Field("", description="Name of the collection.")
    description: str = Field("", description="What it holds.")
    vector_field: VectorField | None = Field(None, description="The indexed field.")
    index: VectorIndex | None = Field(None, description="The index.")


class SearchParams(Part):
    """Parameters of a search."""

    ef: Positive | None = Field(None, description="Effort of searching.")


class Search(Part):
    """How a store is searched."""

    params: SearchParams | None = Field(None, description="Parameters.")
    topk: Positive | None = Field(None, description="Results fetched.")
    consistency_level: str = Field("", description="Consistency of reads.")


class StoreLogging(Part):
    """What the store's client logs."""

    level: str = Field("", description="Least severity.")


class Development(Part):
    """Switches for development."""

    drop_index_on_startup: bool = Field(default=False, description="Whether the index starts empty.")
    auto_create_index: bool = Field(default=True, description="Whether a missing index is made.")
    drop_collection_on_startup: bool = Field(
        default=False, description="Whether the collection starts empty."
    )
    auto_create_collection: bool = Field(default=True, description="Whether a missing collection is made.")
    verbose_errors: bool = Field(default=False, description="Whether errors tell more.")


class VectorStore(Part):
    """A vector store: connection, index and search."""

    connection: Connection = Field(default_factory=Connection, description="The connection.")
    index: VectorIndex | None = Field(None, description="The index.")
    collection: VectorCollection | None = Field(None, description="The collection.")
    search: Search | None = Field(None, description="How it is searched.")
    performance: Free = Field(default_factory=dict, repr=False, description="Further tuning.")
    data_management: Free = Field(default_factory=dict, repr=False, description="Further upkeep.")
    logging: StoreLogging | None = Field(None, description="What its client logs.")
    development: Development | None = Field(None, description="Switches for development.")
