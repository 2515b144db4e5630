"""Ids of answers in both spellings; translating there and back gives the first again."""

_CHAT, _MESSAGE = "chatcmpl-", "msg_"


def message_id(chat_id: str) -> str:
    """``msg_…`` for an OpenAI answer's id."""
    return f"{_MESSAGE}{chat_id.removeprefix(_CHAT)}"


def chat_id(message: str) -> str:
    """``chatcmpl-…`` for an Anthropic answer's id."""
    return f"{_CHAT}{message.removeprefix(_MESSAGE)}"
