"""Signing in: Microsoft's token service, GitHub's OIDC tokens, and the VM's own metadata service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid

from web import Answer, Refusal, Request
from world import CLIENT, SECRET, SUBSCRIPTION, TENANT, Document, World, utc

GITHUB = "https://token.actions.githubusercontent.com"


class Identity:
    def __init__(self, world: World) -> None:
        self.world = world
        self._key = secrets.token_bytes(32)
        self.oidc_bearer = secrets.token_urlsafe(16)

    # Tokens

    def mint(self, claims: Document, seconds: float) -> str:
        now = int(time.time())
        payload = {"iat": now, "nbf": now, "exp": int(now + seconds), "jti": str(uuid.uuid4()), **claims}
        head = (
            _encoded(json.dumps({"typ": "JWT", "alg": "HS256"}).encode()) + "." + _encoded(json.dumps(payload).encode())
        )
        return head + "." + _encoded(hmac.digest(self._key, head.encode(), hashlib.sha256))

    def _read(self, token: str) -> Document | None:
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_encoded(hmac.digest(self._key, head.encode(), hashlib.sha256)), signature):
            return None
        text = head.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

    def principal(self, request: Request) -> str:
        """Who asks; refuses who can't tell."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._read(token) if scheme.lower() == "bearer" else None
        if claims is None or "oid" not in claims:
            raise Refusal(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                {"WWW-Authenticate": "Bearer"},
            )
        if claims["exp"] <= time.time():
            raise Refusal(
                401,
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{utc(claims['exp'])}' is earlier than current UTC time '{utc()}'.",
                {"WWW-Authenticate": "Bearer"},
            )
        return claims["oid"]

    def _access_token(self, principal: str, extra: Document | None = None) -> str:
        claims = {
            "aud": self.world.addresses["arm"],
            "iss": f"{self.world.addresses['arm']}/{TENANT}/",
            "tid": TENANT,
            "oid": principal,
            "appid": principal,
            "sub": principal,
            **(extra or {}),
        }
        return self.mint(claims, self.world.options.token_seconds)

    # Microsoft's token service

    def sign_in(self, request: Request) -> Answer:
        form = request.body
        if form.get("grant_type") != "client_credentials" or form.get("client_id") != CLIENT:
            return _refused("AADSTS700016", f"Application with identifier '{form.get('client_id')}' was not found.")
        if (assertion := form.get("client_assertion")) is not None:
            if refusal := self._refusal_of(assertion):
                return refusal
        elif form.get("client_secret") != SECRET:
            return _refused(
                "AADSTS7000215",
                f"Invalid client secret provided. Ensure the secret being sent in the request "
                f"is the client secret value, for a secret added to app '{CLIENT}'.",
            )
        request.principal = CLIENT
        seconds = int(self.world.options.token_seconds)
        return Answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": self._access_token(CLIENT),
            },
        )

    def _refusal_of(self, assertion: str) -> Answer | None:
        claims = self._read(assertion) if assertion.count(".") == 2 else None
        if claims is None:
            return _refused("AADSTS50027", "JWT token is invalid or malformed.")
        if claims["exp"] <= time.time():
            return _refused(
                "AADSTS700024",
                f"Client assertion is not within its valid time range. Current time: {utc()}, "
                f"assertion valid from {utc(claims['nbf'])}, expiry time of assertion {utc(claims['exp'])}.",
            )
        if claims["sub"] != self.world.options.federated_subject:
            return _refused(
                "AADSTS700213",
                f"No matching federated identity record found for presented assertion subject "
                f"'{claims['sub']}'. Check your federated identity credential Subject, Audience and Issuer "
                "against the presented assertion.",
            )
        return None

    def discovery(self) -> Answer:
        base = f"{self.world.addresses['arm']}/{TENANT}"
        return Answer(
            200,
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "issuer": f"{base}/v2.0",
                "tenant_region_scope": "NA",
            },
        )

    # GitHub

    def github_token(self, request: Request) -> Answer:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or bearer != self.oidc_bearer:
            return Answer(401, {"message": "The bearer token is not that of a job."})
        oidc = self.world.state["oidc"]
        claims = {"iss": GITHUB, "sub": oidc["subject"], "aud": request.query.get("audience", GITHUB)}
        token = self.mint(claims, oidc["seconds"])
        return Answer(200, {"count": len(token), "value": token})

    # The VM's metadata service

    def metadata(self, request: Request) -> Answer:
        """`/metadata/…`, or `/vm/NAME/metadata/…` where there is more than one VM."""
        path = request.path.strip("/").split("/")
        name = path[1] if path[0] == "vm" else None
        path = path[2:] if path[0] == "vm" else path
        if request.headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in request.headers:
            return _imds_refusal("Required metadata header not specified")
        vm = next((v for v in self.world.state["vms"].values() if name in (None, v["name"])), None)
        document = self.world.resources.get(vm["id"].lower()) if vm else None
        if vm is None or document is None:
            return Answer(404, {"error": "not_found", "error_description": "There is no such VM"})
        if path[:2] == ["metadata", "identity"]:
            return self._identity_token(request, document)
        if path[:2] == ["metadata", "instance"]:
            return _inner({"compute": _compute(document)}, path[2:], request)
        if path[:2] == ["metadata", "scheduledevents"]:
            return Answer(200, _scheduled(vm))
        return Answer(404, {"error": "not_found", "error_description": request.path})

    def _identity_token(self, request: Request, document: Document) -> Answer:
        principal = (document.get("identity") or {}).get("principalId")
        if principal is None:
            return _imds_refusal("Identity not found")
        self.world.state["principals"].setdefault(principal, {"name": f"vm {document['name']}", "actions": []})
        request.principal = principal
        seconds, now = int(self.world.options.token_seconds), int(time.time())
        token = self._access_token(principal, {"xms_mirid": document["id"]})
        return Answer(
            200,
            {
                "access_token": token,
                "client_id": principal,
                "expires_in": str(seconds),
                "expires_on": str(now + seconds),
                "ext_expires_in": str(seconds),
                "not_before": str(now),
                "resource": request.query.get("resource", ""),
                "token_type": "Bearer",
            },
        )


def _compute(document: Document) -> Document:
    tags = document.get("tags") or {}
    return {
        "azEnvironment": "AzurePublicCloud",
        "location": document["location"],
        "name": document["name"],
        "osType": "Linux",
        "resourceGroupName": document["id"].split("/")[4],
        "resourceId": document["id"],
        "subscriptionId": SUBSCRIPTION,
        "tags": ";".join(f"{k}:{v}" for k, v in tags.items()),
        "tagsList": [{"name": k, "value": v} for k, v in tags.items()],
        "vmId": document["properties"]["vmId"],
        "vmSize": (document["properties"].get("hardwareProfile") or {}).get("vmSize"),
        "zone": "",
    }


def _inner(value: object, path: list[str], request: Request) -> Answer:
    for word in path:
        if not isinstance(value, dict) or word not in value:
            return Answer(404, {"error": "Not found"})
        value = value[word]
    return Answer(200, str(value) if request.query.get("format") == "text" else value)


def _scheduled(vm: Document) -> Document:
    if vm["notice"] is None:
        return {"DocumentIncarnation": 1, "Events": []}
    before = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(vm["notice"]["before"]))
    return {
        "DocumentIncarnation": 2,
        "Events": [
            {
                "EventId": vm["notice"]["id"],
                "EventStatus": "Scheduled",
                "EventType": "Preempt",
                "ResourceType": "VirtualMachine",
                "Resources": [vm["name"]],
                "NotBefore": before,
                "EventSource": "Platform",
            }
        ],
    }


def _imds_refusal(words: str) -> Answer:
    return Answer(400, {"error": "invalid_request", "error_description": words})


def _refused(code: str, words: str) -> Answer:
    text = f"{code}: {words} Trace ID: {uuid.uuid4()} Correlation ID: {uuid.uuid4()} Timestamp: {utc()}"
    return Answer(401, {"error": "invalid_client", "error_description": text, "error_codes": [int(code[6:])]})


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
