"""The body fields each API knows: those of its reference, and what vLLM adds to it.

Sources: OpenAI's reference of chat completions, completions, responses and embeddings; the request models of
vLLM's OpenAI server (0.6 to 0.12, old names included); Anthropic's reference of messages.
"""

from collections.abc import Mapping
from typing import Final

from pointsman.core.request import Dialect

_VLLM_SAMPLING: Final = frozenset(
    [
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "cache_salt",
        "guided_choice",
        "guided_decoding_backend",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "guided_whitespace_pattern",
        "ignore_eos",
        "include_stop_str_in_output",
        "kv_transfer_params",
        "length_penalty",
        "logits_processors",
        "min_p",
        "min_tokens",
        "priority",
        "prompt_logprobs",
        "repetition_penalty",
        "request_id",
        "return_token_ids",
        "return_tokens_as_token_ids",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop_token_ids",
        "structural_tag",
        "structured_outputs",
        "top_k",
        "truncate_prompt_tokens",
        "use_beam_search",
        "vllm_xargs",
    ]
)
_VLLM_CHAT: Final = frozenset(
    [
        "add_generation_prompt",
        "chat_template",
        "chat_template_kwargs",
        "continue_final_message",
        "documents",
        "echo",
        "include_reasoning",
        "mm_processor_kwargs",
    ]
)
_OPENAI_SAMPLING: Final = frozenset(
    [
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "model",
        "n",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "user",
    ]
)

KNOWN_FIELDS: Final[Mapping[Dialect, frozenset[str]]] = {
    Dialect.OPENAI_CHAT: _OPENAI_SAMPLING
    | _VLLM_SAMPLING
    | _VLLM_CHAT
    | frozenset(
        [
            "audio",
            "function_call",
            "functions",
            "max_completion_tokens",
            "messages",
            "metadata",
            "modalities",
            "parallel_tool_calls",
            "prediction",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "safety_identifier",
            "service_tier",
            "store",
            "tool_choice",
            "tools",
            "top_logprobs",
            "verbosity",
            "web_search_options",
        ]
    ),
    Dialect.OPENAI_COMPLETIONS: _OPENAI_SAMPLING
    | _VLLM_SAMPLING
    | frozenset({"best_of", "echo", "prompt", "prompt_embeds", "suffix"}),
    Dialect.OPENAI_EMBEDDINGS: frozenset(
        [
            "add_special_tokens",
            "additional_data",
            "chat_template",
            "chat_template_kwargs",
            "dimensions",
            "embed_dtype",
            "encoding_format",
            "endianness",
            "input",
            "messages",
            "mm_processor_kwargs",
            "model",
            "normalize",
            "priority",
            "request_id",
            "truncate_prompt_tokens",
            "user",
        ]
    ),
    Dialect.OPENAI_RESPONSES: frozenset(
        [
            "background",
            "conversation",
            "include",
            "input",
            "instructions",
            "max_output_tokens",
            "max_tool_calls",
            "metadata",
            "model",
            "parallel_tool_calls",
            "previous_response_id",
            "prompt",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "text",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "truncation",
            "user",
        ]
    )
    | _VLLM_SAMPLING
    | _VLLM_CHAT,
    Dialect.ANTHROPIC_MESSAGES: frozenset(
        [
            "container",
            "context_management",
            "max_tokens",
            "mcp_servers",
            "messages",
            "metadata",
            "model",
            "output_config",
            "output_format",
            "service_tier",
            "stop_sequences",
            "stream",
            "system",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
            "top_k",
            "top_p",
        ]
    ),
}
"""A field outside its dialect's set means nothing to the engines."""
REQUIRED_FIELDS: Final = frozenset({"model", "messages", "prompt", "input"})
"""Without these there is no request."""
