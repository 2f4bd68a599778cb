"""A bucket of S3 on this machine, by moto's server: what a store in a cloud has to get along with."""

import os
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

NAME = "packages"
KEYS = {"AWS_ACCESS_KEY_ID": "key-of-the-index", "AWS_SECRET_ACCESS_KEY": "never-told", "AWS_REGION": "eu-central-1"}
URL = f"s3://{NAME}/kept/here"


class Cloud:
    """Where it is, what it was asked, and whether it answers. asked: method, path with query, and Authorization."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.fault: int | None = None  # a status that everything is answered with
        self._turn = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.bucket: Any = boto3.resource(  # Any: boto3 makes its classes while it runs
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=KEYS["AWS_REGION"],
        ).Bucket(NAME)
        reset = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")  # moto has one memory in a process
        urllib.request.urlopen(reset).close()
        self.bucket.create(CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})

    @property
    def environ(self) -> dict[str, str]:
        """What an operator sets so that the index finds it."""
        return {**KEYS, "AWS_ENDPOINT": self.url}

    def names(self) -> list[str]:
        """The objects in the bucket."""
        return sorted(each.key for each in self.bucket.objects.all())

    def empty(self) -> None:
        """Forget all of them, and what was asked."""
        self.fault = None
        self.bucket.objects.all().delete()
        self.asked.clear()

    def stop(self) -> None:
        """Answer no more: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
        self.asked.append((environ["REQUEST_METHOD"], path, environ.get("HTTP_AUTHORIZATION")))
        if self.fault is not None:
            return Response("<Error><Code>Fault</Code></Error>", status=self.fault)(environ, start_response)
        with self._turn:  # moto knows nothing of threads, and would answer 500
            return self._moto(environ, start_response)


@contextmanager
def a_cloud() -> Iterator[Cloud]:
    """Serve until the block ends."""
    cloud = Cloud()
    try:
        yield cloud
    finally:
        cloud.stop()


def be_configured(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """Have the environment name the cloud, and nothing else of AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
