import json

import openai
import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.envoy

QUESTIONS = [
    ("math", "math-expert", True, "What is the derivative of f(x) = x^3?"),
    ("physics", "science-expert", True, "What is the kinetic energy of a 2 kg mass moving at 3 m/s?"),
    ("chemistry", "science-expert", True, "Balance the combustion reaction of methane with oxygen"),
    ("biology", "science-expert", False, "How do mitochondria produce ATP inside a eukaryotic cell?"),
    ("health", "science-expert", False, "What are the symptoms and treatment of type 2 diabetes?"),
    ("engineering", "science-expert", False, "How do I size a steel beam for a bridge under bending load?"),
    ("computer_science", "science-expert", False, "Write a Python function that reverses a linked list"),
    (
        "business",
        "social-expert",
        False,
        "How should a startup write a marketing strategy for product launch?",
    ),
    ("economics", "social-expert", False, "How does monetary policy of the central bank affect inflation?"),
    ("law", "law-expert", False, "Is a contract signed under duress enforceable in court?"),
    ("history", "humanities-expert", False, "What were the causes of the fall of the Roman Empire?"),
    ("psychology", "humanities-expert", False, "What is classical conditioning in behavioral psychology?"),
    ("philosophy", "humanities-expert", False, "Explain Kant's categorical imperative in moral philosophy"),
    ("general", "general-expert", False, "hello there, nice to meet you"),
]


@pytest.mark.parametrize(("domain", "expert", "thinks", "question"), QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_every_domain_reaches_its_expert(
    gateway: Gateway, domain: str, expert: str, thinks: bool, question: str
) -> None:
    """A question of each of the 14 domains arrives at its adapter with its prompt and reasoning switch."""
    answer, seen = gateway.echo(question)
    assert answer.headers["x-vsr-selected-decision"] == f"{domain}_decision"
    assert seen["model"] == expert
    assert seen["headers"]["x-selected-model"] == expert
    assert seen["chat_template_kwargs"] == {"enable_thinking": thinks}
    system, user = seen["messages"]
    assert system["role"] == "system"
    assert len(system["content"]) > 40
    assert user == {"role": "user", "content": question}


def test_a_keyword_outranks_the_domain(gateway: Gateway) -> None:
    """The keyword decision has the higher priority, so an urgent maths question goes to it, thinking."""
    answer, seen = gateway.echo("URGENT: what is the derivative of x^2?")
    assert answer.headers["x-vsr-selected-decision"] == "thinking_decision"
    assert (seen["model"], seen["chat_template_kwargs"]) == ("general-expert", {"enable_thinking": True})


def test_the_real_client_gets_a_completion_and_headers(gateway: Gateway) -> None:
    """The openai client's answer names the adapter, and the headers of both eras are on it."""
    raw = gateway.client().chat.completions.with_raw_response.create(
        model="MoM", messages=[{"role": "user", "content": "What is the derivative of f(x) = x^3?"}]
    )
    assert raw.parse().model == "math-expert"
    shown = {name: value for name, value in raw.headers.items() if name.startswith("x-vsr-")}
    assert float(shown.pop("x-vsr-selected-confidence")) > 0.5
    assert shown == {
        "x-vsr-schema-version": "2",
        "x-vsr-response-path": "upstream",
        "x-vsr-selected-recipe": "default",
        "x-vsr-selected-decision": "math_decision",
        "x-vsr-selected-algorithm": "single",
        "x-vsr-selected-model": "math-expert",
        "x-vsr-selected-category": "math",
        "x-vsr-selected-reasoning": "on",
        "x-vsr-injected-system-prompt": "true",
    }


def test_a_stream_adds_up(gateway: Gateway) -> None:
    """Streamed through the real client, the pieces join to what the engine saw, usage included."""
    stream = gateway.client().chat.completions.create(
        model="MoM",
        messages=[{"role": "user", "content": "Is a verbal contract enforceable in court?"}],
        stream=True,
        stream_options={"include_usage": True},
        extra_headers={"x-sim-echo": "1"},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert json.loads(text)["model"] == "law-expert"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_chunks_arrive_as_they_are_produced(gateway: Gateway) -> None:
    """An engine that stalls after three chunks has already shown them: nothing waits for the whole answer."""
    stream = gateway.client().chat.completions.create(
        model="MoM",
        messages=[{"role": "user", "content": "What is the derivative of x^3?"}],
        stream=True,
        extra_headers={"x-sim-fault": "hang-mid:3"},
    )
    seen = [next(stream) for _ in range(3)]
    stream.close()
    assert len(seen) == 3


def test_part_list_content_and_tools_pass(gateway: Gateway) -> None:
    """Text parts are read for the decision, and tools reach the engine as the client wrote them."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    answer = gateway.client().chat.completions.create(
        model="MoM",
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "What is the integral of cos(x) dx?"}]}
        ],
        tools=[tool],
        extra_headers={"x-sim-echo": "1"},
    )
    seen = json.loads(answer.choices[0].message.content or "")
    assert seen["model"] == "math-expert"
    assert seen["body"]["tools"] == [tool]


def test_the_clients_own_instructions_are_kept(gateway: Gateway) -> None:
    """With mode insert, the expert's prompt comes before the client's in the one system message."""
    answer = gateway.client().chat.completions.create(
        model="MoM",
        messages=[{"role": "system", "content": "MINE"}, {"role": "user", "content": "Integrate x^2 dx"}],
        extra_headers={"x-sim-echo": "1"},
    )
    seen = json.loads(answer.choices[0].message.content or "")
    assert [message["role"] for message in seen["messages"]] == ["system", "user"]
    prompt = seen["messages"][0]["content"]
    assert prompt.endswith("\n\nMINE")
    assert len(prompt) > 40


def test_completions_embeddings_and_models(gateway: Gateway) -> None:
    """The other endpoints of the real client work: completion routed, embedding passed, models listed."""
    client: openai.OpenAI = gateway.client()
    completion = client.completions.create(model="MoM", prompt="What is the derivative of x^3?", max_tokens=4)
    assert completion.model == "math-expert"
    assert len(client.embeddings.create(model="base-model", input="x").data) == 1
    listed = [model.id for model in client.models.list()]
    assert listed[:3] == ["vllm-sr/auto", "auto", "MoM"]
    assert {"base-model", "math-expert", "general-expert"} <= set(listed)
    assert client.models.retrieve("math-expert").id == "math-expert"


def test_both_replicas_serve(gateway: Gateway) -> None:
    """Requests of one model spread over its two endpoints."""
    names = {gateway.echo(f"What is {n} times {n}?")[1]["engine"] for n in range(12)}
    assert names == {"a", "b"}
