"""Values from the environment."""

from typing import Any

import pytest

from pointsman.config import parse
from pointsman.config.environment import expand


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "1"),
        ("$A", "1"),
        ("x${A}y$A.z", "x1y1.z"),
        ("${NONE:-d}", "d"),
        ("${NONE-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("$$A and $${A}", "$A and ${A}"),
        ("5$ or $5 or ^x$", "5$ or $5 or ^x$"),
        ("plain", "plain"),
    ],
)
def test_forms_of_reference(text: str, result: str) -> None:
    """Braces, bare names, both kinds of default and the doubled dollar sign mean what shells made of them."""
    expansion = expand(text, {"A": "1", "EMPTY": ""})
    assert expansion.text == result
    assert not expansion.complaints


@pytest.mark.parametrize("text", ["${NONE}", "$NONE"])
def test_an_unset_variable_is_an_error_with_its_name_and_place(problems_with: Any, text: str) -> None:
    """A variable without value or default names itself, its key path and the ways out; nothing else is said."""
    found = problems_with("routing.decisions.0.priority", text)
    assert set(found) == {"routing.decisions[0].priority"}
    problem = found["routing.decisions[0].priority"]
    assert "variable NONE, which is not set" in problem.message
    assert "${NONE:-value}" in problem.remedy


@pytest.mark.parametrize("text", ["${}", "${1A}", "${A B}", "${user.content}"])
def test_braces_without_a_name_are_an_error(problems_with: Any, text: str) -> None:
    """A dollar sign with braces that name no variable is a mistake, not text."""
    problem = problems_with("routing.decisions.0.description", text)["routing.decisions[0].description"]
    assert "names no variable" in problem.message
    assert "$$" in problem.remedy


def test_variables_fill_numbers_and_truth_values() -> None:
    """A variable's text becomes a number or truth value where the schema wants one."""
    text = "version: v0.3\nlisteners: [{port: '${PORT}', name: '${PORT}'}]\n"
    text += "global: {router: {clear_route_cache: '${CLEAR:-false}'}}"
    settings = parse(text, {"PORT": "8802"})
    assert (settings.listeners[0].port, settings.listeners[0].name) == (8802, "8802")
    assert not settings.global_.router.clear_route_cache


def test_a_variable_cannot_change_the_documents_structure() -> None:
    """What a variable holds is a value and nothing more, however much it looks like YAML."""
    hostile = "x\ngateway: {on_router_failure: open}"
    settings = parse("version: v0.3\nlisteners:\n  - name: ${NAME}\n", {"NAME": hostile})
    assert settings.listeners[0].name == hostile
    assert settings.gateway.on_router_failure == "closed"


def test_placeholders_of_templates_are_left_alone(documents: Any) -> None:
    """Arguments of a retrieval tool keep their own ``${...}``, which are filled in per request."""
    text = (documents / "full.yaml").read_text()
    rag = next(p for p in parse(text, {}).routing.decisions[0].plugins if p.type == "rag")
    assert rag.configuration.backend_config["tool_arguments"] == {"query": "${user_content}"}


def test_chart_values_are_not_touched() -> None:
    """References in Helm values beside the document are the chart's business."""
    assert parse("args: ['${NOT_OURS}']\nconfig: {version: v0.3}", {}).version == "v0.3"
