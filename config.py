"""Settings: read once from COUNTERSIGN_* variables, typed and frozen, all faults reported together."""

import base64
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

VERSION = "0.1.0"
Parsed = TypeVar("Parsed")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_KEY_CHARACTERS = 32
SEALING_KEY_BYTES = 32
# Of 32 random bytes 30 differ, and 20 or more in all but one of seven thousand million keys. Of 32 random hex digits 14
# differ, and 8 or more in all but one of thirty million.
DIFFERENT_BYTES = 20
DIFFERENT_CHARACTERS = 8
# In no random key, and in most of the examples that people copy.
PLACEHOLDERS = (
    "change", "replace", "secret", "password", "default", "example", "insecure", "placeholder", "development", "devkey",
    "testkey", "countersign", "openssl", "qwerty", "abcdefgh", "0123456789", "1234567890",
)  # fmt: skip


class SettingsError(Exception):
    """The environment does not make a working index. `faults` has one sentence for each variable at fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("Countersign cannot start:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Variable:
    """One line of the settings table: the README and .env.example are tested against it."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable(
        "COUNTERSIGN_PUBLIC_URL",
        "http://localhost:8000",
        "The address people use. Links in mails come from it.",
    ),
    Variable("COUNTERSIGN_DATA_DIR", "./instance", "Keys, the SQLite database and files live here."),
    Variable("COUNTERSIGN_DATABASE_URL", "SQLite in the data folder", "`postgresql+psycopg://…` for PostgreSQL."),
    Variable(
        "COUNTERSIGN_STORAGE_URL",
        "`file:` in the data folder",
        "Where packages are kept; `s3://bucket/prefix`, …",
    ),
    Variable(
        "COUNTERSIGN_STATIC_DIR",
        "none",
        "A folder into which the simple pages are written for nginx to send. It belongs to Countersign alone.",
    ),
    Variable(
        "COUNTERSIGN_ACCEL_PREFIX",
        "none",
        "Have nginx send the files: the internal location of the storage folder, such as /_files/.",
    ),
    Variable(
        "COUNTERSIGN_SIGNED_DOWNLOADS",
        "none",
        "Have the cloud send the files: for how many seconds the address that it gives out is good, such as 300.",
    ),
    Variable("COUNTERSIGN_REDIS_URL", "none", "Kept for several machines side by side. It does nothing yet."),
    Variable("COUNTERSIGN_SECRET_KEY", "made on first start", "Signs form tokens; at least 32 characters."),
    Variable(
        "COUNTERSIGN_ENCRYPTION_KEYS",
        "made on first start",
        "Seal secrets at rest: base64 of 32 bytes, newest first, with commas.",
    ),
    Variable("COUNTERSIGN_MAIL_URL", "console:", "`smtp://user:pass@host:port?tls=none|starttls|tls`."),
    Variable("COUNTERSIGN_MAIL_FROM", "countersign@ and the public host", "The sender of every mail."),
    Variable(
        "COUNTERSIGN_BREACH_URL",
        "none",
        "Where leaked passwords are looked up: `https://api.pwnedpasswords.com`, or a copy of your own.",
    ),
    Variable(
        "COUNTERSIGN_LEAK_KEYS_URL",
        "none",
        "The keys of whoever reports leaked API tokens: `https://api.github.com/meta/public_keys/secret_scanning`.",
    ),
    Variable(
        "COUNTERSIGN_REGISTRATION",
        "open",
        "`open`: everybody may register. `closed`: nobody; `invite` does the same until there are invitations.",
    ),
    Variable(
        "COUNTERSIGN_NEW_BROWSERS",
        "notice",
        "A sign-in from a new browser without a key: `notice` mails its owner, `confirm` waits for a mailed link.",
    ),
    Variable(
        "COUNTERSIGN_READ_ACCESS",
        "public",
        "Who may read and install: everybody (`public`), or `members`: people with an account, programs with a token.",
    ),
    Variable(
        "COUNTERSIGN_REQUIRE_2FA_NEW_USERS_FROM",
        "always",
        "A date: who registered before it needs no second factor yet. Without it everyone does, at once.",
    ),
    Variable(
        "COUNTERSIGN_REQUIRE_2FA_EVERYONE_FROM",
        "none",
        "A date: from it on those need one, too. It matters only beside the line above.",
    ),
    Variable("COUNTERSIGN_TRUSTED_PROXIES", "0", "How many proxies in front may set X-Forwarded-For."),
    Variable("COUNTERSIGN_MAX_FILE_MB", "100", "The largest file that can be uploaded, in MB (1,000,000 bytes)."),
    Variable(
        "COUNTERSIGN_MAX_PROJECT_GB", "10", "What all files of one project may hold, in GB (1,000,000,000 bytes)."
    ),
    Variable(
        "COUNTERSIGN_MAX_INDEX_GB",
        "none",
        "What all files together may hold, in GB, deleted ones that can be restored among them.",
    ),
    Variable(
        "COUNTERSIGN_DIRECT_URLS",
        "refused",
        "Requirements that name an address (`x @ https://…`): `refused` or `allowed`.",
    ),
    Variable("COUNTERSIGN_LOCAL_VERSIONS", "refused", "Versions such as 1.0+team.1: `refused` or `allowed`."),
    Variable(
        "COUNTERSIGN_PLATFORM_TAGS",
        "those of PyPI",
        "More platforms that wheels may be for, with commas, such as linux_x86_64; `all` for every one.",
    ),
    Variable(
        "COUNTERSIGN_MAX_TOKEN_DAYS",
        "none",
        "How many days an API token may live, from 1 to 3650; no token without an end can be made then.",
    ),
    Variable("COUNTERSIGN_BIND", "127.0.0.1", "The address that the server listens on."),
    Variable(
        "COUNTERSIGN_PORT",
        "8000",
        "The port that the server listens on. Without a proxy in front, `COUNTERSIGN_PUBLIC_URL` names the same one.",
    ),
    Variable("COUNTERSIGN_WORKERS", "2", "Server processes."),
)


@dataclass(frozen=True)
class Settings:
    """Everything that an operator can choose. Sizes in bytes, dates in UTC, keys as raw bytes."""

    public_url: str
    data_dir: Path
    database_url: str
    storage_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    encryption_keys: tuple[bytes, ...] = field(repr=False)
    mail_url: str = field(default="console:", repr=False)
    mail_from: str = "countersign@localhost"
    static_dir: Path | None = None
    accel_prefix: str = ""
    signed_downloads: int | None = None  # seconds
    breach_url: str = ""
    leak_keys_url: str = ""
    registration: str = "open"
    read_access: str = "public"
    new_browsers: str = "notice"
    require_2fa_new_users_from: date = date.min
    require_2fa_everyone_from: date | None = None
    trusted_proxies: int = 0
    max_file_bytes: int = 100_000_000
    max_project_bytes: int = 10_000_000_000
    max_index_bytes: int | None = None
    direct_urls: str = "refused"
    local_versions: str = "refused"
    platform_tags: frozenset[str] = frozenset()
    max_token_days: int | None = None
    bind: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    hash_time_cost: int = 3
    hash_memory_kib: int = 65_536

    @property
    def host(self) -> str:
        """Host and port as people type them, from the public URL."""
        return urlsplit(self.public_url).netloc

    @property
    def hostname(self) -> str:
        """The host alone."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def is_https(self) -> bool:
        """Whether people reach us over TLS; cookies are Secure then."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read, check and complete the settings; create the data folder and its keys on the first start.

        Every variable can also be given as NAME_FILE, the path of a file that holds the value (container secrets).
        Raises SettingsError with one sentence for each fault.
        """
        source = _Source(os.environ if environ is None else environ)
        data_dir = Path(source.text("DATA_DIR", "./instance")).expanduser().resolve()
        public_url = source.parsed("PUBLIC_URL", "http://localhost:8000", _public_url)
        settings: dict[str, Any] = {  # Any: each value has the type of its field below
            "public_url": public_url,
            "data_dir": data_dir,
            "database_url": source.parsed(
                "DATABASE_URL", f"sqlite:///{data_dir / 'countersign.sqlite3'}", _database_url
            ),
            "storage_url": source.text("STORAGE_URL", "file:"),
            "static_dir": source.parsed("STATIC_DIR", "", _folder_or_none),
            "accel_prefix": source.parsed("ACCEL_PREFIX", "", _location),
            "signed_downloads": source.parsed("SIGNED_DOWNLOADS", "", _seconds_or_none),
            "mail_url": source.text("MAIL_URL", "console:"),
            "mail_from": source.text("MAIL_FROM", _default_sender(public_url)),
            "breach_url": source.parsed("BREACH_URL", "", _service_url),
            "leak_keys_url": source.parsed("LEAK_KEYS_URL", "", _keys_url),
            "registration": source.one_of("REGISTRATION", ("open", "invite", "closed")),
            "read_access": source.one_of("READ_ACCESS", ("public", "members")),
            "new_browsers": source.one_of("NEW_BROWSERS", ("notice", "confirm")),
            "require_2fa_new_users_from": source.parsed("REQUIRE_2FA_NEW_USERS_FROM", "always", _date_or_always),
            "require_2fa_everyone_from": source.parsed("REQUIRE_2FA_EVERYONE_FROM", "", _date_or_none),
            "trusted_proxies": source.number("TRUSTED_PROXIES", 0, 0, 10),
            "max_file_bytes": source.number("MAX_FILE_MB", 100, 1, 100_000) * 1_000_000,
            "max_project_bytes": source.number("MAX_PROJECT_GB", 10, 1, 1_000_000) * 1_000_000_000,
            "max_index_bytes": source.parsed("MAX_INDEX_GB", "", _gigabytes_or_none),
            "direct_urls": source.one_of("DIRECT_URLS", ("refused", "allowed")),
            "local_versions": source.one_of("LOCAL_VERSIONS", ("refused", "allowed")),
            "platform_tags": source.parsed("PLATFORM_TAGS", "", _platform_tags),
            "max_token_days": source.parsed("MAX_TOKEN_DAYS", "", _days_or_none),
            "bind": source.text("BIND", "127.0.0.1"),
            "port": source.number("PORT", 8000, 1, 65_535),
            "workers": source.number("WORKERS", 2, 1, 64),
        }
        secret_key = source.parsed("SECRET_KEY", "", _secret_key)
        encryption_keys = source.parsed("ENCRYPTION_KEYS", "", _sealing_keys)
        _check_mail_url(source, settings["mail_url"])
        _check_folders(source, settings)
        source.raise_faults()
        _prepare_folder(data_dir)
        return cls(
            **settings,
            secret_key=secret_key or _key_file(data_dir / "secret_key", _secret_key),
            encryption_keys=encryption_keys or _key_file(data_dir / "encryption_keys", _sealing_keys),
        )


class _Source:
    """Looks variables up and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []
        known = {variable.name for variable in VARIABLES}
        for name in environ:
            is_ours = name.startswith("COUNTERSIGN_") and not name.startswith("COUNTERSIGN_TEST")
            if is_ours and name not in known and name.removesuffix("_FILE") not in known:
                self.faults.append(f"{name} is no setting of this version; see the table in the README.")

    def text(self, short_name: str, default: str) -> str:
        name = f"COUNTERSIGN_{short_name}"
        path = self._environ.get(f"{name}_FILE", "")
        if path and self._environ.get(name):
            self.faults.append(f"{name} and {name}_FILE are both set; keep one.")
        elif path:
            try:
                held = Path(path).read_text(encoding="utf-8").strip()
                if not held:
                    self.faults.append(f"{name}_FILE: {path} is empty.")
                return held or default
            except (OSError, UnicodeDecodeError) as error:
                self.faults.append(f"{name}_FILE: cannot read {path}: {error}.")
        return self._environ.get(name, "").strip() or default

    def parsed(self, short_name: str, default: str, parse: Callable[[str], Parsed]) -> Parsed:
        """The variable through `parse`; a ValueError of it becomes a fault and the default takes its place."""
        try:
            return parse(self.text(short_name, default))
        except ValueError as error:
            self.faults.append(f"COUNTERSIGN_{short_name}: {error}")
            return parse(default)

    def number(self, short_name: str, default: int, least: int, most: int) -> int:
        def parse(text: str) -> int:
            if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
                raise ValueError(f"write a whole number from {least} to {most}, not {text!r}.")
            return int(text)

        return self.parsed(short_name, str(default), parse)

    def one_of(self, short_name: str, choices: tuple[str, ...]) -> str:
        def parse(text: str) -> str:
            if text not in choices:
                raise ValueError(f"choose {' or '.join(choices)}, not {text!r}.")
            return text

        return self.parsed(short_name, choices[0], parse)

    def raise_faults(self) -> None:
        if self.faults:
            raise SettingsError(self.faults)


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.username
    ):
        raise ValueError(f"write scheme and host only, such as https://index.example, not {text!r}.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
        raise ValueError(f"use https for {parts.hostname}: passwords and tokens would travel in clear text.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _service_url(text: str) -> str:
    """The address of a service that is asked something, without a slash at its end; empty where none is."""
    if not text:
        return ""
    form = ValueError("write scheme, host and path only, such as https://api.pwnedpasswords.com.")
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        raise form from None
    is_bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not (is_whole and is_bare and re.fullmatch(r"[!-~]+", text)):
        raise form
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
        raise ValueError(f"use https for {parts.hostname}: what is asked there is nobody else's business.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _keys_url(text: str) -> str:
    """Empty where no report of a leak is taken."""
    try:
        return _service_url(text)
    except ValueError:
        raise ValueError(
            "write an address such as https://api.github.com/meta/public_keys/secret_scanning; "
            "over http only on this machine, since whoever answers there can remove tokens."
        ) from None


def _database_url(text: str) -> str:
    try:
        backend = make_url(text).get_backend_name()
    except ArgumentError:
        backend = "?"
    if backend not in ("sqlite", "postgresql"):
        raise ValueError("write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.")
    return text


def _folder_or_none(text: str) -> Path | None:
    if not text:
        return None
    if not Path(text).is_absolute():
        raise ValueError(f"write the whole path of a folder, not {text!r}.")
    return Path(text).resolve()


def _location(text: str) -> str:
    """Empty where files are sent from here."""
    if text and not re.fullmatch(r"/_[a-z0-9-]+/", text):
        raise ValueError(f"write a name with an underscore between slashes, such as /_files/, not {text!r}.")
    return text


def _date_or_none(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"write a date such as 2023-08-08, not {text!r}.") from None


def _days_or_none(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 3_650):
        raise ValueError(f"write a whole number of days from 1 to 3650, not {text[:20]!r}.")
    return int(text)


def _gigabytes_or_none(text: str) -> int | None:
    """In bytes."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= 1_000_000):
        raise ValueError(f"write a whole number of GB from 1 to 1000000, not {text[:20]!r}.")
    return int(text) * 1_000_000_000


def _platform_tags(text: str) -> frozenset[str]:
    tags = [tag.strip() for tag in text.split(",") if tag.strip()]
    for tag in tags:
        if not re.fullmatch("[a-z0-9_]+", tag):
            raise ValueError(f"write tags as they stand in filenames, such as linux_x86_64, not {tag[:40]!r}.")
    return frozenset(tags)


def _date_or_always(text: str) -> date:
    return date.min if text == "always" else (_date_or_none(text) or date.min)


def _secret_key(text: str) -> str:
    advice = "`openssl rand -hex 32` makes one."
    if text and len(text) < SECRET_KEY_CHARACTERS:
        raise ValueError(f"needs at least {SECRET_KEY_CHARACTERS} characters; {advice}")
    letters = re.sub(r"[\W_]", "", text.lower())
    is_example = any(word in letters for word in PLACEHOLDERS)
    if text and (is_example or len(set(text)) < DIFFERENT_CHARACTERS or _repeats_itself(text)):
        raise ValueError(
            f"must be random; it is easily guessed, with few different characters or words of an example. {advice}"
        )
    return text


def _repeats_itself(text: str) -> bool:
    """Whether it is a shorter text over and over, as people fill a key up to the length that is asked for."""
    return any(text == (text[:length] * len(text))[: len(text)] for length in range(1, len(text) // 2 + 1))


def _sealing_keys(text: str) -> tuple[bytes, ...]:
    """The ring, newest first. Only the first key must look random: what an older one sealed has to be opened once more,
    to be sealed anew."""
    advice = "`openssl rand -base64 32` makes one."
    try:
        keys = tuple(
            base64.b64decode(part.strip(), altchars=b"-_", validate=True) for part in text.split(",") if part.strip()
        )
    except ValueError:
        keys = (b"",)
    if (text and not keys) or any(len(key) != SEALING_KEY_BYTES for key in keys):
        raise ValueError(f"each key must be the base64 of 32 random bytes; {advice}")
    if len(set(keys)) < len(keys):
        raise ValueError("one key stands there twice. Keep it once, and the newest first.")
    if keys and (len(set(keys[0])) < DIFFERENT_BYTES or _counts(keys[0])):
        raise ValueError(
            f"the first key must be random, and this one is easily guessed; {advice} "
            "Put it in front, and run `flask keys rotate` if the other one has sealed anything."
        )
    return keys


def _counts(key: bytes) -> bool:
    """Whether its bytes go up or down in equal steps, as those of an example do."""
    return len({(after - before) % 256 for before, after in pairwise(key)}) == 1


def _seconds_or_none(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 60 <= int(text) <= 604_800):
        raise ValueError("give seconds from 60 to 604800, which is a week, or nothing.")
    return int(text)


def _default_sender(public_url: str) -> str:
    return f"countersign@{urlsplit(public_url).hostname}"


def _check_mail_url(source: _Source, mail_url: str) -> None:
    if not mail_url.startswith(("console:", "smtp://")):
        source.faults.append("COUNTERSIGN_MAIL_URL: write console: or smtp://user:pass@host:port?tls=starttls.")


def _check_folders(source: _Source, settings: Mapping[str, Any]) -> None:  # Any: as above
    """What nginx sends by itself must be where it can send it, and hold nothing else."""
    static_dir, storage_url = settings["static_dir"], settings["storage_url"]
    if settings["accel_prefix"] and not storage_url.startswith("file:"):
        source.faults.append("COUNTERSIGN_ACCEL_PREFIX: nginx sends files of this machine only. Take a file: storage.")
    if settings["signed_downloads"] and not storage_url.startswith(("s3:", "gs:", "az:")):
        source.faults.append("COUNTERSIGN_SIGNED_DOWNLOADS: only a cloud signs addresses. Take an s3: storage.")
    kept = [settings["data_dir"]]
    if storage_url.startswith("file:///"):
        kept.append(Path(unquote(urlsplit(storage_url).path)))
    if static_dir and any(static_dir in (path, *path.parents) or path in static_dir.parents for path in kept):
        source.faults.append(
            "COUNTERSIGN_STATIC_DIR: take a folder apart from data and storage, since nginx gives out what lies there."
        )


def _prepare_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError([f"COUNTERSIGN_DATA_DIR: cannot make {data_dir}: {error.strerror}."]) from None


def _key_file(path: Path, parse: Callable[[str], Parsed]) -> Parsed:
    """The key kept in the data folder; made on the first start, readable by its owner only.

    Written aside and linked into place, so that two processes that start at once end up with the same whole key.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(SEALING_KEY_BYTES)).decode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise SettingsError([f"{path} can be read by others; run `chmod 600 {path}`."])
    try:
        text = path.read_text(encoding="ascii").strip()
        if not text:
            raise ValueError("it is empty. Put the key back, or delete the file to have a new one made.")
        return parse(text)
    except ValueError as error:
        raise SettingsError([f"{path}: {error}"]) from None
