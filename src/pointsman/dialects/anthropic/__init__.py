"""Anthropic's Messages API: read, written, and translated to and from OpenAI chat completions.

``messages`` understands a request and answers in its shape. ``request_to_chat`` and ``chat_to_request``
translate requests, ``answer_to_chat`` and ``chat_to_answer`` finished answers, ``stream_to_chat`` and
``chat_to_stream`` streams piece by piece, ``errors`` errors. Each is named from the format it reads to the
format it writes; "chat" is OpenAI's.
"""
