"""The gRPC server over TLS."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer, Tls

_OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(_OPENSSL is None, reason="needs the openssl command to make a certificate")
def test_the_server_speaks_tls_and_nothing_else(fake_router: Any, tmp_path: Path) -> None:
    """A client that trusts the certificate is served; one without TLS gets nowhere."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert))
    subprocess.run([str(_OPENSSL), *request, *names], check=True, capture_output=True)
    options = ExtProcOptions("127.0.0.1:0", tls=Tls(cert.read_bytes(), key.read_bytes()))

    async def main() -> None:
        server = ExtProcServer(fake_router, options)
        await server.start()
        target = f"127.0.0.1:{server.port}"
        trust = grpc.ssl_channel_credentials(options.tls.cert)
        override = [("grpc.ssl_target_name_override", "localhost")]
        request = health_pb2.HealthCheckRequest(service="liveness")
        async with grpc.aio.secure_channel(target, trust, options=override) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
        async with grpc.aio.insecure_channel(target) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Check(request, timeout=5)
        await server.stop(0)

    asyncio.run(main())
