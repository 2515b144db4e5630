"""What people do to text before a model sees it: typing errors, no punctuation, greetings, windows."""

import json
import random
import string

_BESIDE = "sqz vgn xvd sfe wrd dgr fht gjy uok hku jli ko n bm ipl o wa etf adw ryg yij cb qes zc tuh xa"
NEAR = dict(zip(string.ascii_lowercase, _BESIDE.split(" "), strict=True))
"""Letters beside each letter on a keyboard."""
BEFORE = (
    "hi, ",
    "Hello! ",
    "hey ",
    "quick question: ",
    "Please help. ",
    "can you help me with this? ",
    "ok so ",
    "Question: ",
    "Q: ",
    "I was wondering, ",
    "thanks in advance! ",
    "for my homework: ",
    "so basically ",
    "Could you tell me: ",
    "my friend asked me: ",
    "Answer briefly. ",
    "ELI5: ",
    "serious question, ",
    "你好，",
    "请问",
    "麻烦问一下，",
    "帮我看看：",
    "",
)
AFTER = (
    " thanks",
    " Thanks!",
    " please",
    " pls",
    " thx",
    " Please explain step by step.",
    " Explain.",
    " ??",
    "!!",
    " I really need this by tomorrow.",
    " keep it short",
    " any ideas?",
    " 谢谢",
    " 求解答",
    "",
    "",
)


def rewritten(text: str, chance: random.Random) -> str:
    """One plausible variant; about a third stay as they are."""
    roll = chance.random()
    if roll < 0.35:
        return text
    if roll < 0.50:
        return text.lower().rstrip("?.!。？")
    if roll < 0.62:
        return typed(text, chance)
    if roll < 0.80:
        return framed(text, chance)
    if roll < 0.90:
        return typed(framed(text.lower(), chance), chance)
    return part(text, chance)


def framed(text: str, chance: random.Random) -> str:
    """With a greeting, an urging, or both."""
    chinese = any("\u4e00" <= c <= "\u9fff" for c in text)
    before = chance.choice(BEFORE[-5:] if chinese else BEFORE[:-5]) if chance.random() < 0.7 else ""
    after = chance.choice(AFTER[-4:] if chinese else AFTER[:-4]) if chance.random() < 0.5 else ""
    return f"{before}{text}{after}"


def typed(text: str, chance: random.Random) -> str:
    """With a typing error about every 25 characters."""
    letters = list(text)
    for _ in range(max(1, len(letters) // 25)):
        at = chance.randrange(len(letters)) if letters else 0
        if not letters or len(letters[at]) != 1 or letters[at] not in string.ascii_letters:
            continue
        kind = chance.randrange(4)
        if kind == 0:
            letters[at] = chance.choice(NEAR[letters[at].lower()])
        elif kind == 1:
            letters[at] = ""
        elif kind == 2:
            letters[at] *= 2
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def part(text: str, chance: random.Random) -> str:
    """A contiguous piece of a long text, at least 60 characters."""
    if len(text) < 160:
        return text
    size = chance.randrange(60, len(text))
    at = chance.randrange(len(text) - size)
    return text[at : at + size]


def wrapped(text: str, chance: random.Random) -> str:
    """The same words inside a quote, a code block, a list or a JSON string, as programs pass texts on."""
    form = chance.randrange(5)
    if form == 0:
        return "\n".join(f"> {line}" for line in text.splitlines() or [text])
    if form == 1:
        return f"```{chance.choice(('', 'text', 'markdown'))}\n{text}\n```"
    if form == 2:
        return f"- {text}"
    name = chance.choice(("text", "content", "message", "input", "prompt", "body", "query"))
    document = {name: text} if form == 3 else {"id": chance.randrange(10**6), "role": "user", name: text}
    return json.dumps(document, ensure_ascii=chance.random() < 0.2)
