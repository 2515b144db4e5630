"""Lists of tools against sets, for any names, choices and lists."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.request import Dialect
from pointsman.dialects.body import parse_object
from pointsman.plugins.tool import offered
from pointsman.plugins.tool_choice import with_tools
from pointsman.plugins.tools import ToolPolicy

Names = st.sampled_from(["a", "b", "c", "d", ""])
Lists = st.frozensets(Names, max_size=3)
Choice = st.sampled_from(["auto", "none", "required", None]) | Names.map(
    lambda name: {"type": "function", "function": {"name": name}}
)


@given(st.lists(Names, max_size=6), Lists, Lists, Choice)
def test_what_passes_is_what_the_lists_say(
    names: list[str], allow: frozenset[str], block: frozenset[str], choice: Any
) -> None:
    """Order and duplicates stay, no blocked tool is left, and a choice never names what is gone."""
    tools = [{"type": "function", "function": {"name": name, "strict": True}} for name in names]
    body = parse_object(msgspec.json.encode({"model": "m", "tools": tools, "tool_choice": choice}))
    policy = ToolPolicy(allow, block)
    kept = [tool for tool in offered(body) if policy.passes(tool.name)]
    result = with_tools(body, kept, Dialect.OPENAI_CHAT)
    expected = [name for name in names if name not in block and (not allow or name in allow)]
    if not expected:
        assert set(result.fields) == {"model"}
        return
    assert result.get("tools") == [tool for tool in tools if tool["function"]["name"] in expected]
    left = result.get("tool_choice")
    if isinstance(left, dict):
        assert left == choice
        assert left["function"]["name"] in {*expected, ""}
    elif not isinstance(choice, dict):
        assert left == choice
