"""How gunicorn serves Countersign: `gunicorn --config deploy/gunicorn.py`, from the project's folder.

gunicorn, because it keeps the reason phrase of a refusal, which is all that twine shows of it.
"""

import ctypes
import gc
import sys
from contextlib import suppress

from flask import Flask
from flask.cli import load_dotenv
from gunicorn.workers.base import Worker

from config import Settings, SettingsError

M_ARENA_MAX = -8  # of malloc.h

gc.disable()  # while all is loaded there is nothing to collect: a tenth of the start

load_dotenv()  # the same .env that the `flask` command reads
try:
    settings = Settings.from_environment()
except SettingsError as error:
    sys.exit(str(error))

wsgi_app = "wsgi:application"
# Loaded once, before the processes part: the second one costs neither time nor, for the most part, memory.
preload_app = True
bind = f"[{settings.bind}]:{settings.port}" if ":" in settings.bind else f"{settings.bind}:{settings.port}"
workers = settings.workers

# Threads, because an upload over a slow line holds what serves it for minutes, and two of those
# must not keep everybody else waiting. Password hashing and compression let the other threads run.
worker_class = "gthread"
threads = 8
timeout = 60  # seconds without a sign of life from a whole worker; a slow client does not count
keepalive = 5  # seconds; pip and browsers ask for several pages in a row
graceful_timeout = 10  # seconds that a stop waits for requests under way; a connection that says nothing counts as one

# Bytes and header fields of a request, before the application sees it. The longest address that we
# give out, that of a form that opens again filled in, stays under 4,000 bytes.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# gunicorn believes no X-Forwarded header. The application does, and only as many proxies deep as
# COUNTERSIGN_TRUSTED_PROXIES says; else anybody could choose the address that guesses are counted for.
forwarded_allow_ips = ""
forwarder_headers = ""

# glibc gives each thread a heap of its own, and what a large answer took stays in it: eight times.
with suppress(AttributeError, OSError):  # another C library
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)

accesslog = None  # links in mails carry one-time secrets in their address, which must not be written down
control_socket_disable = True  # one more way to command the server, and two instances would share it


def pre_fork(_arbiter: object, _worker: object) -> None:
    """Have the collector leave alone what was loaded: it would write into it, and so copy it for each process."""
    gc.freeze()


def post_fork(_arbiter: object, _worker: object) -> None:
    """Collect again."""
    gc.enable()


def when_ready(_arbiter: object) -> None:
    """Say what to do next, once the port is ours."""
    print(
        f"\nCountersign is at {settings.public_url}\n"
        "  Make the first administrator:  .venv/bin/flask users create-admin\n"
        "  Read the mails that it sent:   .venv/bin/flask mail list\n"
        "  Stop it:                       Ctrl+C\n",
        flush=True,
    )


def post_worker_init(worker: Worker) -> None:
    """Let every worker deliver mail and sweep up beside its requests; each job is claimed in the database."""
    application: object = worker.wsgi
    assert isinstance(application, Flask)  # noqa: S101 - wsgi.py makes nothing else
    application.extensions["countersign_scheduler"]()
