"""``providers``: the models that exist upstream, where they run and how they are told to reason."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from pointsman.config.base import Effort, Name, Part, Positive, Seconds, Secret, Weight, Whole

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HINT = "write host:port, such as 10.0.0.7:8000, vllm.default.svc:8000 or [fd00::7]:8000"


def _port(text: str) -> int:
    """The port in ``text``; ValueError when it is none."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise ValueError(f"has no valid port (1 to 65535): {_HINT}")
    return int(text)


def _check_host(host: str) -> None:
    """ValueError unless ``host`` is an IP address or a DNS name of one label or more."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        numeric = labels[-1].isdigit()
        if numeric or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise ValueError(f"has no valid host: {_HINT}") from None


def split_endpoint(endpoint: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[ipv6]:port``; ValueError in plain words otherwise."""
    if "://" in endpoint:
        raise ValueError("is a URL, an endpoint is host:port: put the URL under base_url instead")
    host, colon, port = endpoint.rpartition(":")
    if not colon:
        raise ValueError(f"has no port: {_HINT}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"has no valid IPv6 address in its brackets: {_HINT}") from None
    elif ":" in host:
        raise ValueError(f"is ambiguous, an IPv6 address needs brackets: {_HINT}")
    _check_host(host)
    return host, _port(port)


def _check_endpoint(endpoint: str) -> str:
    split_endpoint(endpoint)
    return endpoint


def split_base_url(url: str) -> tuple[str, int]:
    """Host and port of an http(s) URL; ValueError in plain words otherwise."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no http or https URL: write something like https://api.example.com/v1")
    if parts.username or parts.password:
        raise ValueError("carries credentials: put them under api_key or api_key_env instead")
    _check_host(parts.hostname)
    default = 443 if parts.scheme == "https" else 80
    try:
        return parts.hostname, parts.port or default
    except ValueError:
        raise ValueError("has no valid port (1 to 65535)") from None


def _check_base_url(url: str) -> str:
    split_base_url(url)
    return url


class ReasoningFamily(Part):
    """How a family of models is told to think or not to."""

    type: Literal["chat_template_kwargs", "reasoning_effort", "top_level_reasoning_effort"] = Field(
        description="A chat template switch, an effort in the template, or a top-level effort."
    )
    parameter: Name = Field(description="Name of the field that is set, such as enable_thinking for Qwen3.")


class ProviderDefaults(Part):
    """What holds for every provider model unless a decision says otherwise."""

    default_model: str = Field(
        "", description="Model or LoRA that answers when no decision matches; empty refuses such requests."
    )
    reasoning_families: Mapping[str, ReasoningFamily] = Field(
        default_factory=dict,
        description="Reasoning switches by family name; models refer to them by that name.",
    )
    default_reasoning_effort: Effort = Field(
        "medium",
        description="Effort where a candidate that reasons names none; medium balances cost and depth.",
    )


class BackendRef(Part):
    """One address that serves a provider model, with the credentials it needs."""

    name: str = Field("", description="Label of the backend in logs and statistics.")
    endpoint: Annotated[str, AfterValidator(_check_endpoint)] | None = Field(
        None,
        description="host:port of the engine, the host being an IPv4 address, [IPv6] or a DNS name.",
    )
    base_url: Annotated[str, AfterValidator(_check_base_url)] | None = Field(
        None,
        description="http(s) URL of a provider whose API does not live at the root; instead of endpoint.",
    )
    protocol: Literal["http", "https"] = Field(
        "http", description="Protocol spoken to endpoint; engines inside a cluster mostly speak plain http."
    )
    weight: Annotated[Whole, Field(ge=0, le=2**32 - 1)] = Field(
        1, description="Share of this model's traffic, relative to its siblings; 0 sends none."
    )
    type: str = Field("", description="Kind of endpoint, free text kept for tools that read it.")
    provider: str = Field("", description="Provider dialect, such as vllm, openai or anthropic-compatible.")
    auth_header: str = Field("", description="Header that carries the key; empty uses the provider's own.")
    auth_prefix: str = Field(
        "", description="Word before the key, such as Bearer; empty uses the provider's own."
    )
    extra_headers: Mapping[str, Secret] = Field(
        default_factory=dict,
        description="Headers added to every upstream request; values are treated as secret.",
    )
    api_version: str = Field("", description="API version some providers want as a query parameter.")
    chat_path: str = Field(
        "", description="Path of chat completions where it differs from /v1/chat/completions."
    )
    api_key: Secret | None = Field(None, description="Key sent upstream; prefer api_key_env or ${VAR}.")
    api_key_env: str = Field("", description="Environment variable that holds the key, read at start.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to; an empty host and 0 when neither endpoint nor base_url is given."""
        if self.endpoint is not None:
            return split_endpoint(self.endpoint)
        return split_base_url(self.base_url) if self.base_url else ("", 0)

    @property
    def address_is_ip(self) -> bool:
        """Whether the host is an IP address, so that no resolver is needed."""
        try:
            ipaddress.ip_address(self.address[0])
        except ValueError:
            return False
        return True

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        if self.endpoint is None and self.base_url:
            return self.base_url.startswith("https:")
        return self.protocol == "https"


class Pricing(Part):
    """What a model costs per million tokens."""

    currency: str = Field("USD", description="Currency of the prices, as shown in cost metrics.")
    prompt_per_1m: Weight = Field(0.0, description="Price of a million prompt tokens.")
    completion_per_1m: Weight = Field(0.0, description="Price of a million completion tokens.")
    cached_input_per_1m: Weight | None = Field(
        None,
        description="Price of a million cached prompt tokens; unset is prompt_per_1m.",
    )
    cache_write_per_1m: Weight | None = Field(
        None, description="Price of a million prompt tokens written to the provider's cache."
    )


class Reliability(Part):
    """Retry, ejection and health checks of a model's endpoints, done by Envoy."""

    lb_policy: Literal["round_robin", "least_request"] | None = Field(
        None, description="How endpoints share load; unset uses fleet.policy."
    )
    retry_count: Annotated[Whole, Field(ge=0, le=5)] = Field(
        0, description="How often a failed request is tried again, at most 5 so that outages do not multiply."
    )
    retry_on: str = Field("", description="Envoy retry conditions, comma separated, such as connect-failure.")
    consecutive_5xx: Positive | None = Field(
        None, description="Server errors in a row after which an endpoint is ejected for a while."
    )
    base_ejection_time: Seconds | None = Field(None, description="How long a first ejection lasts, seconds.")
    max_ejection_percent: Annotated[Whole, Field(ge=0, le=100)] | None = Field(
        None, description="Largest share of endpoints that may be ejected at once, percent."
    )
    health_check_path: str = Field("", description="Path of the active health check; empty sends none.")
    health_check_interval: Seconds | None = Field(None, description="Time between health checks, seconds.")
    health_check_timeout: Seconds | None = Field(None, description="Time a health check may take, seconds.")


class ProviderModel(Part):
    """A model that runs somewhere: its endpoints form one pool."""

    name: Name = Field(description="Logical name: what decisions refer to and clients may ask for.")
    reasoning_family: str = Field(
        "", description="Key of reasoning_families; empty means no reasoning switch."
    )
    provider_model_id: str = Field("", description="Name sent upstream; empty sends the logical name.")
    external_model_ids: Mapping[str, str] = Field(
        default_factory=dict, description="Names sent upstream by provider, where they differ."
    )
    api_format: Literal["openai", "anthropic"] = Field("openai", description="API the endpoints speak.")
    backend_refs: tuple[BackendRef, ...] = Field((), description="Addresses that serve this model.")
    pricing: Pricing | None = Field(None, description="Prices for cost metrics and cost-aware selection.")
    reliability: Reliability = Field(
        default_factory=Reliability, description="Retries, ejection and health checks of the endpoints."
    )


class Providers(Part):
    """All upstream models and what they share."""

    defaults: ProviderDefaults = Field(default_factory=ProviderDefaults, description="Shared defaults.")
    models: tuple[ProviderModel, ...] = Field((), description="Every model that runs somewhere.")
