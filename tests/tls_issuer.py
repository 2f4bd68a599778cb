"""An issuer of identity tokens on this machine, with a certificate of its own: discovery, keys, and any bad habit."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import trustme

from tests.identity_issuer import SigningKey

Answer = Callable[[], Iterable[bytes]]
DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class TlsIssuer:
    """Where it is, who vouches for it, the keys that it publishes, and answers of its own by path.

    asked: the paths, in order.
    """

    url: str
    authority: trustme.CA
    keys: list[SigningKey]
    answers: dict[str, Answer] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Iterable[bytes]:
        """What it says at a path."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]()
        if path == DISCOVERY:
            return [page({"issuer": self.url, "jwks_uri": f"{self.url}/keys?v=1", **self.document})]
        if path == "/keys?v=1":
            return [page({"keys": [key.entry for key in self.keys]})]
        return [page({}, status="404 Not Found")]


def page(body: object, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer in JSON."""
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n{headers}\r\n"
    return head.encode() + text


@contextmanager
def tls_issuer(folder: Path, *keys: SigningKey) -> Iterator[TlsIssuer]:
    """Serve at localhost until the block ends. Whoever is to trust it, trusts `folder/authority.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "issuer.example").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                for piece in issuer.answer(self.path):
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # the other side waits no longer
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    issuer = TlsIssuer(f"https://localhost:{server.server_address[1]}", authority, list(keys))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
