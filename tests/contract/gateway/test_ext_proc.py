import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb
from support.gateway import Process, document, eventually, free_port, http, spawn


class Alone:
    """`pointsman ext-proc` with upstream's flags, as a chart would start it."""

    def __init__(self, folder: Path) -> None:
        self.grpc, self.api, self.metrics = free_port(), free_port(), free_port()
        settings = document([], 8801)
        settings["providers"]["models"][0]["backend_refs"] = [{"endpoint": "vllm.default.svc:8000"}]
        values = folder / "values.yaml"
        values.write_text(yaml.safe_dump({"replicaCount": 1, "config": settings}))
        flags = ["--config", str(values), "--port", str(self.grpc), "--secure=false", "--bind", "127.0.0.1"]
        flags += ["--api-port", str(self.api), "--api-bind", "127.0.0.1", "--metrics-port", str(self.metrics)]
        self.process: Process = spawn(folder / "log", "ext-proc", *flags)
        eventually("ext_proc serving", lambda: "ext_proc on" in self.process.text(), self.process)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    running = Alone(tmp_path_factory.mktemp("alone"))
    yield running
    assert running.process.stop() == 0


def test_the_health_service_answers(alone: Alone) -> None:
    """The gRPC health service says SERVING for readiness, liveness and the ext_proc service."""
    with grpc.insecure_channel(f"127.0.0.1:{alone.grpc}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "readiness", "liveness", "envoy.service.ext_proc.v3.ExternalProcessor"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_request_is_rewritten_over_grpc(alone: Alone) -> None:
    """Headers and body of the tutorial's request come back with the expert's name and a cleared route."""
    headers = [(":method", "POST"), (":path", "/v1/chat/completions"), ("x-request-id", "r1")]
    asked = {
        "model": "MoM",
        "messages": [{"role": "user", "content": "What is the derivative of f(x) = x^3?"}],
    }
    first = pb.ProcessingRequest()
    for key, value in headers:
        first.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    second = pb.ProcessingRequest()
    second.request_body.body = json.dumps(asked).encode()
    second.request_body.end_of_stream = True
    with grpc.insecure_channel(f"127.0.0.1:{alone.grpc}") as channel:
        process = channel.stream_stream(
            contract.PROCESS, pb.ProcessingRequest.SerializeToString, pb.ProcessingResponse.FromString
        )
        answers = process(iter([first, second]), timeout=10)
        assert next(answers).WhichOneof("response") == "request_headers"
        common = next(answers).request_body.response
    assert json.loads(common.body_mutation.body)["model"] == "math-expert"
    edits = {option.header.key: option.header.raw_value for option in common.header_mutation.set_headers}
    assert edits["x-selected-model"] == b"math-expert"
    assert int(edits["content-length"]) == len(common.body_mutation.body)
    assert "x-pointsman-pool" not in edits
    assert common.clear_route_cache


def test_its_other_ports_serve(alone: Alone) -> None:
    """The management API and the metrics are on the ports the flags name, and metrics alone on theirs."""
    assert http(f"http://127.0.0.1:{alone.api}/ready").status == 200
    assert b"pointsman_build_info" in http(f"http://127.0.0.1:{alone.metrics}/metrics").body
    assert http(f"http://127.0.0.1:{alone.metrics}/config").status == 404
