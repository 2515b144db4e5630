"""Where the Kubernetes API is found."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config.replicas import KubernetesApi
from pointsman.core.errors import StartError
from pointsman.fleet.discovery.kube_access import access


def kubeconfig(tmp_path: Path, **user: Any) -> Path:
    path = tmp_path / "config"
    document = {
        "current-context": "here",
        "contexts": [
            {"name": "there", "context": {"cluster": "c", "user": "u", "namespace": "far"}},
            {"name": "here", "context": {"cluster": "c", "user": "u"}},
        ],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://api.example:6443/",
                    "certificate-authority-data": base64.b64encode(b"PEM").decode(),
                },
            }
        ],
        "users": [{"name": "u", "user": user or {"token": "secret"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_inside_a_cluster_the_service_account_is_used(tmp_path: Path) -> None:
    """Server from the environment, token and authority from the mounted account, its namespace too."""
    (tmp_path / "namespace").write_text("llm")
    (tmp_path / "token").write_text("t1")
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    found = access(KubernetesApi(), env, account=tmp_path)
    assert (found.server, found.namespace) == ("https://[fd00::1]:6443", "llm")
    assert found.headers() == {"authorization": "Bearer t1"}
    assert found.ca_file == tmp_path / "ca.crt"


def test_a_token_that_is_missing_for_a_moment_is_no_crash(tmp_path: Path) -> None:
    """While the token file is being replaced the request goes without; its 401 is what gets reported."""
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert access(KubernetesApi(), env, account=tmp_path).headers() == {}


def test_a_kubeconfig_is_read(tmp_path: Path) -> None:
    """Current context or the one named, its namespace, token and embedded authority."""
    path = kubeconfig(tmp_path)
    found = access(KubernetesApi(kubeconfig=str(path)), {})
    assert (found.server, found.namespace, found.token, found.ca_data) == (
        "https://api.example:6443",
        "default",
        "secret",
        "PEM",
    )
    there = access(KubernetesApi(context="there"), {"KUBECONFIG": str(path)})
    assert there.namespace == "far"


def test_files_of_a_kubeconfig_are_beside_it(tmp_path: Path) -> None:
    """Relative paths are taken from the kubeconfig's folder."""
    path = kubeconfig(tmp_path, **{"client-certificate": "me.crt", "client-key": "me.key"})
    found = access(KubernetesApi(kubeconfig=str(path)), {})
    assert (found.client_cert, found.client_key) == (tmp_path / "me.crt", tmp_path / "me.key")


@pytest.mark.parametrize(
    ("user", "says"),
    [({"exec": {"command": "aws"}}, "kubectl proxy"), ({"client-certificate-data": "x"}, "kubectl proxy")],
)
def test_credentials_we_cannot_get_are_named(tmp_path: Path, user: dict[str, Any], says: str) -> None:
    """Programs that mint tokens are not run: the error says what to do instead."""
    with pytest.raises(StartError, match=says):
        access(KubernetesApi(kubeconfig=str(kubeconfig(tmp_path, **user))), {})


@pytest.mark.parametrize("text", ["", "[]", "a: [", "current-context: here\ncontexts: 7"])
def test_what_is_no_kubeconfig_is_said(tmp_path: Path, text: str) -> None:
    """A broken or missing file keeps the gateway from starting, naming the keys to set."""
    path = tmp_path / "config"
    if text:
        path.write_text(text)
    with pytest.raises(StartError, match=r"fleet\.kubernetes_api"):
        access(KubernetesApi(kubeconfig=str(path)), {})


def test_a_server_can_be_named_outright() -> None:
    """A kubectl proxy needs neither token nor kubeconfig."""
    found = access(KubernetesApi(server="http://127.0.0.1:8001/"), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert (found.server, found.headers()) == ("http://127.0.0.1:8001", {})
