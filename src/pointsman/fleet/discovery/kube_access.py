"""Where the Kubernetes API is and what it wants to see: from inside a cluster, or from a kubeconfig."""

import base64
import binascii
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pointsman.config.replicas import KubernetesApi
from pointsman.core.errors import StartError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_MAX_KUBECONFIG_BYTES = 1 << 20
_DEFAULT_NAMESPACE = "default"


class Access(msgspec.Struct, frozen=True):
    """One API server and our credentials there."""

    server: str
    """Base URL without a slash at the end."""
    namespace: str = _DEFAULT_NAMESPACE
    """Where we are, for sources that name none."""
    token_file: Path | None = None
    """Read for each list and watch: projected tokens are replaced every hour."""
    token: str = ""
    ca_file: Path | None = None
    ca_data: str = ""
    """PEM."""
    client_cert: Path | None = None
    client_key: Path | None = None
    verify: bool = True

    def headers(self) -> dict[str, str]:
        """Credentials as they are now."""
        token = self.token
        if self.token_file is not None:
            try:
                token = self.token_file.read_text().strip()
            except OSError:
                token = ""  # being replaced; the server's 401 is what gets reported
        return {"authorization": f"Bearer {token}"} if token else {}

    def tls(self) -> ssl.SSLContext | bool:
        """What the connection is verified by, read anew: authorities are replaced, too."""
        if not self.server.startswith("https:"):
            return True  # nothing to verify
        if not self.verify:
            return False
        context = ssl.create_default_context(
            cafile=str(self.ca_file) if self.ca_file else None, cadata=self.ca_data or None
        )
        if self.client_cert is not None:
            context.load_cert_chain(self.client_cert, self.client_key)
        return context


def access(
    settings: KubernetesApi, env: Mapping[str, str], *, account: Path = _ACCOUNT, home: Path | None = None
) -> Access:
    """What the document says, else the cluster we run in, else a kubeconfig; ``StartError`` without any."""
    token_file = Path(settings.token_file) if settings.token_file else None
    ca_file = Path(settings.ca_file) if settings.ca_file else None
    if settings.server:
        return Access(settings.server.rstrip("/"), _own_namespace(account), token_file, "", ca_file)
    host = env.get("KUBERNETES_SERVICE_HOST", "")
    if host and not settings.kubeconfig:
        port = env.get("KUBERNETES_SERVICE_PORT", "443")
        server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        return Access(
            server,
            _own_namespace(account),
            token_file or account / "token",
            "",
            ca_file or account / "ca.crt",
        )
    return _from_kubeconfig(_kubeconfig(settings, env, home or Path.home()), settings.context)


def _own_namespace(account: Path) -> str:
    try:
        return (account / "namespace").read_text().strip() or _DEFAULT_NAMESPACE
    except OSError:
        return _DEFAULT_NAMESPACE


def _kubeconfig(settings: KubernetesApi, env: Mapping[str, str], home: Path) -> Path:
    if settings.kubeconfig:
        return Path(settings.kubeconfig)
    first = env.get("KUBECONFIG", "").partition(":")[0]
    return Path(first) if first else home / ".kube" / "config"


def _from_kubeconfig(path: Path, context: str) -> Access:
    remedy = "set fleet.kubernetes_api.server or .kubeconfig"
    try:
        with path.open("rb") as file:
            document = yaml.safe_load(file.read(_MAX_KUBECONFIG_BYTES))
    except OSError as error:
        raise StartError(
            f"the Kubernetes API is not known: not in a cluster, and {path}: {error}; {remedy}"
        ) from error
    except yaml.YAMLError as error:
        raise StartError(f"{path} is no kubeconfig; {remedy}") from error
    try:
        chosen = _named(document, "contexts", context or document.get("current-context", ""))["context"]
        cluster = _named(document, "clusters", chosen["cluster"])["cluster"]
        user = _named(document, "users", chosen["user"])["user"] if chosen.get("user") else {}
        return _access(path, chosen, cluster, user or {})
    except (LookupError, TypeError, AttributeError, binascii.Error, UnicodeDecodeError) as error:
        raise StartError(f"{path} has no usable context {context!r} ({error!r}); {remedy}") from error


def _access(
    path: Path, chosen: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any]
) -> Access:
    if "exec" in user or "auth-provider" in user or "client-certificate-data" in user:
        raise StartError(
            f"{path}: the user's credentials come from a program or are embedded certificates; run "
            "kubectl proxy and set fleet.kubernetes_api.server to its address, or use a token"
        )
    data = cluster.get("certificate-authority-data", "")
    return Access(
        server=str(cluster["server"]).rstrip("/"),
        namespace=str(chosen.get("namespace") or _DEFAULT_NAMESPACE),
        token_file=_file(path, user, "tokenFile"),
        token=str(user.get("token", "")),
        ca_file=_file(path, cluster, "certificate-authority"),
        ca_data=base64.b64decode(data).decode() if data else "",
        client_cert=_file(path, user, "client-certificate"),
        client_key=_file(path, user, "client-key"),
        verify=not cluster.get("insecure-skip-tls-verify", False),
    )


def _file(kubeconfig: Path, part: Mapping[str, Any], key: str) -> Path | None:
    """A path relative to the kubeconfig."""
    return kubeconfig.parent / str(part[key]) if part.get(key) else None


def _named(document: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    for each in document[key]:
        if each["name"] == name:
            found: Mapping[str, Any] = each
            return found
    raise KeyError(f"{key}: {name}")
