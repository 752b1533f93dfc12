"""A real identity provider on 127.0.0.1: discovery, keys, consent that is always given, codes with PKCE, tokens.

It is as strict as a good one: a code works once, for a minute, with the verifier it was asked for with. `mint` signs
whatever a test wants, and `twist` changes what the next ID tokens say.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

CLIENT, SECRET = "famulus", "secret of the client"
Claims = dict[str, Any]


class OidcProvider:
    """A context manager. `person` is who is signed in there; what was asked is counted in `asked`, by path."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey] = [RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})]
        self.person: Claims = {
            "sub": "ada",
            "email": "ada@school.example",
            "email_verified": True,
            "name": "Ada",
        }
        self.asked: Counter[str] = Counter()
        self.twist: Callable[[Claims], Claims] = dict
        self.denies = False
        self.down = False
        self.code_life = 60.0
        self.requests: list[Claims] = []
        """What came to `/authorize`."""
        self._codes: dict[str, tuple[float, Claims]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """The issuer."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """For `load_settings`: this provider, trusted in both ways."""
        issuer = {
            "issuer": self.url,
            "audience": "famulus-api",
            "id": "school",
            "name": "School",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "claims": {"organization": "school", "role": "roles"},
            "roles": {"head": "organization_admin", "staff": "teacher", "pupil": "student"},
        }
        return {"trusted_issuers": [{**issuer, **more}], "allowed_private_hosts": ["127.0.0.1"]}

    def claims(self, **more: Any) -> Claims:
        """Of an access token that is good; None takes a claim away."""
        now = int(time.time())
        base = {"iss": self.url, "aud": "famulus-api", "iat": now, "exp": now + 300, **self.person}
        return {name: value for name, value in {**base, **more}.items() if value is not None}

    def mint(self, claims: Claims | None = None, *, key: Any = None, **header: Any) -> str:
        """A token signed by the newest key, or by another."""
        key = key or self.keys[-1]
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        head = {"alg": algorithm, "kid": key.kid, **header}
        body = self.claims() if claims is None else claims
        signed = ".".join(
            coded({name: value for name, value in part.items() if value is not None}) for part in (head, body)
        )
        signature = JWSRegistry.algorithms[head["alg"]].sign(signed.encode(), key)
        return f"{signed}.{coded(signature)}"

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with a new key from now on."""
        fresh = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})
        self.keys = [*self.keys, fresh] if keep else [fresh]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self, "")

            def do_POST(self) -> None:
                provider._answer(self, self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler, form: str) -> None:
        path = urlsplit(request.path).path
        self.asked[path] += 1
        query = {name: values[0] for name, values in parse_qs(form or urlsplit(request.path).query).items()}
        status, location, body = 200, None, None
        if self.down:
            status, body = 500, {"error": "down"}
        elif path == "/.well-known/openid-configuration":
            body = self._configuration()
        elif path == "/jwks":
            body = KeySet(list(self.keys)).as_dict(private=False)
        elif path == "/authorize":
            location = self._authorize(query)
            status = 302 if location else 400
        elif path == "/token":
            body = self._token(query, request.headers.get("Authorization", ""))
            status = 400 if "error" in body else 200
        else:
            status = 404
        self._send(request, status, location, body)

    def _send(self, request: BaseHTTPRequestHandler, status: int, location: str | None, body: Any) -> None:
        request.send_response(status)
        if location:
            request.send_header("Location", location)
        text = json.dumps(body).encode()
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def _configuration(self) -> Claims:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "code_challenge_methods_supported": ["S256"],
        }

    def _authorize(self, query: Claims) -> str | None:
        """Back to where it came from, with a code; None for a request that no provider would follow."""
        self.requests.append(query)
        pkce = query.get("code_challenge_method") == "S256" and query.get("code_challenge")
        if query.get("client_id") != CLIENT or query.get("response_type") != "code" or not pkce:
            return None
        if not urlsplit(query["redirect_uri"]).path.startswith("/api/auth/oidc/"):
            return None
        state = {"state": query["state"]}
        if self.denies:
            return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', **state})}"
        code = secrets.token_urlsafe(16)
        self._codes[code] = (time.time() + self.code_life, {**query, "person": dict(self.person)})
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'iss': self.url, **state})}"

    def _token(self, form: Claims, authorization: str) -> Claims:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if [unquote_plus(each) for each in pair.split(":", 1)] != [CLIENT, SECRET]:
            return {"error": "invalid_client"}
        ends, asked = self._codes.pop(form.get("code", ""), (0.0, {}))
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        good = ends > time.time() and asked["redirect_uri"] == form.get("redirect_uri")
        if not good or asked["code_challenge"] != challenge:
            return {"error": "invalid_grant"}
        claims = self.claims(aud=CLIENT, nonce=asked["nonce"], **asked["person"])
        return {
            "access_token": self.mint(self.claims(**asked["person"])),
            "token_type": "Bearer",
            "id_token": self.mint(self.twist(claims)),
        }


def coded(value: Any) -> str:
    """Bytes, or JSON, as the parts of a token are written."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
