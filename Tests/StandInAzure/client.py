"""What a client needs: a certificate authority, and a folder for az in which somebody is signed in already."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

from machine import find
from world import CLIENT, SECRET, SUBSCRIPTION, TENANT


def make_certificates(folder: Path) -> ssl.SSLContext:
    """A throw-away authority (`ca.pem`) and a server of it for 127.0.0.1."""
    openssl = find("openssl")

    def run(*arguments: str) -> None:
        done = subprocess.run([openssl, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"stand-in: openssl {arguments[0]} failed: {done.stderr}")

    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(
        *new,
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=Throw-away authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign",
    )
    run(*new, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    run(
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "server.ext",
        "-out",
        "server.pem",
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def environment(addresses: dict[str, str], config: Path, oidc_bearer: str) -> dict[str, str]:
    """The variables that make az and the product talk to the stand-in, and to nobody else."""
    dead = "http://127.0.0.1:9"  # a proxy that refuses: nothing can leave
    return {
        "AZURE_CONFIG_DIR": str(config),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_ENCRYPT_TOKEN_CACHE": "false",
        "AZURE_CORE_SURVEY_MESSAGE": "0",
        "AZURE_CORE_NO_COLOR": "1",
        "AZURE_CORE_DISPLAY_REGION_IDENTIFIED": "false",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": addresses["imds"],
        "REQUESTS_CA_BUNDLE": addresses["ca"],
        "HTTPS_PROXY": dead,
        "HTTP_PROXY": dead,
        "NO_PROXY": "127.0.0.1,localhost",
        "https_proxy": dead,
        "http_proxy": dead,
        "no_proxy": "127.0.0.1,localhost",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{addresses['plain']}/oidc?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": oidc_bearer,
    }


def write_config(config: Path, arm: str, sign_in: str = "secret", assertion: str | None = None) -> None:
    """`sign_in`: `secret` and `oidc` are a service principal that is signed in; `none` is nobody."""
    config.mkdir(parents=True, exist_ok=True)
    (config / "clouds.config").write_text(
        f"[StandIn]\nendpoint_resource_manager = {arm}\nendpoint_active_directory = {arm}\n"
        f"endpoint_active_directory_resource_id = {arm}/\nendpoint_active_directory_graph_resource_id = {arm}/\n"
        f"endpoint_microsoft_graph_resource_id = {arm}/\nendpoint_management = {arm}/\n"
    )
    (config / "config").write_text("[cloud]\nname = StandIn\n")
    if sign_in == "none":
        for name in ("azureProfile.json", "service_principal_entries.json"):
            (config / name).unlink(missing_ok=True)
        return
    subscription: dict[str, Any] = {
        "id": SUBSCRIPTION,
        "name": "Stand-in",
        "state": "Enabled",
        "isDefault": True,
        "tenantId": TENANT,
        "environmentName": "StandIn",
        "homeTenantId": TENANT,
        "managedByTenants": [],
        "user": {"name": CLIENT, "type": "servicePrincipal"},
    }
    profile = {"installationId": "44444444-4444-4444-4444-444444444444", "subscriptions": [subscription]}
    (config / "azureProfile.json").write_text(json.dumps(profile))
    credential = {"client_secret": SECRET} if sign_in == "secret" else {"client_assertion": assertion}
    entry = {"client_id": CLIENT, "tenant": TENANT, **credential}
    (config / "service_principal_entries.json").write_text(json.dumps([entry]))
