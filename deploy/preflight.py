"""Whether the server can start here: `make run` asks before it touches the database."""

import errno
import socket
import sys

from flask.cli import load_dotenv
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config import Settings, SettingsError


def fault_of_address(host: str, port: int) -> str | None:
    """What keeps a server from listening on this address, in words; None if nothing does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn does: connections of a server that has just stopped are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65_535 else port - 1
            return (
                f"Port {port} on {host} is in use; perhaps Countersign runs already.\n"
                "Stop that program, or take another port:\n"
                f"  COUNTERSIGN_PORT={other} COUNTERSIGN_PUBLIC_URL=http://localhost:{other} make run"
            )
        reason = error.strerror or error
        return f"Cannot listen on {host}, port {port}: {reason}. See COUNTERSIGN_BIND and COUNTERSIGN_PORT."
    return None


def fault_of_database(url: str) -> str | None:
    """What keeps us from the database, in words; None if nothing does. A SQLite file is made when it is missing."""
    engine = create_engine(url)
    try:
        engine.connect().close()
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        return f"COUNTERSIGN_DATABASE_URL: the database does not answer: {reason}"
    except (SQLAlchemyError, ImportError) as error:
        return f"COUNTERSIGN_DATABASE_URL: {error}"
    finally:
        engine.dispose()
    return None


def main() -> None:
    """End with the first fault found, or quietly."""
    load_dotenv()
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        sys.exit(str(error))
    sys.exit(fault_of_address(settings.bind, settings.port) or fault_of_database(settings.database_url))


if __name__ == "__main__":
    main()
