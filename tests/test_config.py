"""Settings: read, checked all at once, completed on the first start."""

import base64
import hashlib
import secrets
import stat
from datetime import date
from pathlib import Path

import pytest

from app import create_app
from config import VARIABLES, Settings, SettingsError
from domain.index.upload_rules import UploadRules
from tests.browsing import wiring_of
from tests.requirements import requirement

GOOD = hashlib.sha256(b"as good as random").hexdigest()


def read(folder: Path, **variables: str) -> Settings:
    return Settings.from_environment({"COUNTERSIGN_DATA_DIR": str(folder / "data"), **variables})


def faults_of(folder: Path, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(folder, **variables)
    return caught.value.faults


def test_an_empty_environment_makes_a_working_index(tmp_path: Path) -> None:
    settings = read(tmp_path)

    assert settings.public_url == "http://localhost:8000"
    assert settings.database_url == f"sqlite:///{tmp_path / 'data' / 'countersign.sqlite3'}"
    assert settings.require_2fa_new_users_from == date.min
    assert not settings.is_https


@pytest.mark.parametrize(("text", "days"), [("", None), ("1", 1), ("365", 365), ("3650", 3_650)])
def test_the_longest_life_of_a_token_is_a_number_of_days(tmp_path: Path, text: str, days: int | None) -> None:
    assert read(tmp_path, COUNTERSIGN_MAX_TOKEN_DAYS=text).max_token_days == days


@pytest.mark.parametrize("text", ["0", "-1", "3651", "1.5", "never", "٣", "9" * 5_000])
def test_a_longest_life_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    faults = faults_of(tmp_path, COUNTERSIGN_MAX_TOKEN_DAYS=text)

    assert len(faults) == 1
    assert "write a whole number of days from 1 to 3650" in faults[0]


def test_without_settings_uploads_are_judged_as_on_pypi(tmp_path: Path) -> None:
    settings = read(tmp_path)

    assert (settings.max_file_bytes, settings.max_project_bytes, settings.max_index_bytes) == (10**8, 10**10, None)
    assert (settings.direct_urls, settings.local_versions, settings.platform_tags) == (
        "refused",
        "refused",
        frozenset(),
    )


def test_what_uploads_may_be_is_a_setting(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        COUNTERSIGN_MAX_PROJECT_GB="2",
        COUNTERSIGN_MAX_INDEX_GB="500",
        COUNTERSIGN_DIRECT_URLS="allowed",
        COUNTERSIGN_LOCAL_VERSIONS="allowed",
        COUNTERSIGN_PLATFORM_TAGS="linux_x86_64, linux_aarch64,",
    )

    rules = wiring_of(create_app(settings)).upload_rules
    assert rules == UploadRules(
        takes_direct_urls=True,
        takes_local_versions=True,
        more_platforms=frozenset({"linux_x86_64", "linux_aarch64"}),
        max_project_bytes=2 * 10**9,
        max_index_bytes=500 * 10**9,
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("MAX_PROJECT_GB", "0", "write a whole number from 1 to 1000000"),
        ("MAX_INDEX_GB", "0", "write a whole number of GB from 1 to 1000000"),
        ("MAX_INDEX_GB", "1.5", "write a whole number of GB"),
        ("MAX_INDEX_GB", "9" * 5_000, "write a whole number of GB"),
        ("DIRECT_URLS", "yes", "choose refused or allowed"),
        ("LOCAL_VERSIONS", "true", "choose refused or allowed"),
        ("PLATFORM_TAGS", "linux-x86_64", "write tags as they stand in filenames"),
        ("PLATFORM_TAGS", "*", "write tags as they stand in filenames"),
    ],
)
def test_a_wrong_setting_for_uploads_stops_the_start(tmp_path: Path, name: str, text: str, words: str) -> None:
    [fault] = faults_of(tmp_path, **{f"COUNTERSIGN_{name}": text})

    assert fault.startswith(f"COUNTERSIGN_{name}: ")
    assert words in fault


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)

    assert first.secret_key == second.secret_key
    assert first.encryption_keys == second.encryption_keys
    assert len(first.encryption_keys[0]) == 32
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    for name in ("secret_key", "encryption_keys"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600


def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "data" / "secret_key").chmod(0o644)

    assert "chmod 600" in faults_of(tmp_path)[0]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        COUNTERSIGN_PUBLIC_URL="index.example",
        COUNTERSIGN_PORT="eighty",
        COUNTERSIGN_REGISTRATION="maybe",
        COUNTERSIGN_REQUIRE_2FA_EVERYONE_FROM="soon",
        COUNTERSIGN_SECRET_KEY="short",
        COUNTERSIGN_MAIL_URL="ftp://mail",
        COUNTERSIGN_DATABASE_URL="mysql://x",
        COUNTERSIGN_BREACH_URL="http://leaks.example",
        COUNTERSIGN_WORKER="2",
    )

    assert len(faults) == 9
    for name in (
        "PUBLIC_URL",
        "PORT",
        "REGISTRATION",
        "REQUIRE_2FA_EVERYONE_FROM",
        "SECRET_KEY",
        "MAIL_URL",
        "DATABASE_URL",
        "BREACH_URL",
    ):
        assert any(f"COUNTERSIGN_{name}" in fault for fault in faults), name
    assert not (tmp_path / "data").exists()


def test_a_misspelt_variable_is_a_fault(tmp_path: Path) -> None:
    assert (
        "COUNTERSIGN_PUBLIC_ULR is no setting" in faults_of(tmp_path, COUNTERSIGN_PUBLIC_ULR="https://index.example")[0]
    )


def test_a_value_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{GOOD}\n")

    assert read(tmp_path, COUNTERSIGN_SECRET_KEY_FILE=str(secret)).secret_key == GOOD
    assert "both set" in faults_of(tmp_path, COUNTERSIGN_SECRET_KEY_FILE=str(secret), COUNTERSIGN_SECRET_KEY=GOOD)[0]
    assert "cannot read" in faults_of(tmp_path, COUNTERSIGN_SECRET_KEY_FILE=str(tmp_path / "none"))[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://index.example",
        "https://index.example/pypi",
        "ftp://index.example",
        "https://",
        "https://a:b@c",
    ],
)
def test_a_public_url_is_scheme_and_host_and_clear_text_only_on_this_machine(tmp_path: Path, url: str) -> None:
    assert faults_of(tmp_path, COUNTERSIGN_PUBLIC_URL=url)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("https://api.pwnedpasswords.com/", "https://api.pwnedpasswords.com"),
        ("https://mirror.example:8443/leaks/", "https://mirror.example:8443/leaks"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_leaked_passwords_are_looked_up_over_https_or_on_this_machine(tmp_path: Path, text: str, url: str) -> None:
    assert read(tmp_path, COUNTERSIGN_BREACH_URL=text).breach_url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://leaks.example", "use https for leaks.example"),
        ("leaks.example", "write scheme, host and path only"),
        ("ftp://leaks.example", "write scheme, host and path only"),
        ("https://", "write scheme, host and path only"),
        ("https://leaks.example:99999", "write scheme, host and path only"),
        ("https://leaks.example:0", "write scheme, host and path only"),
        ("https://[::1", "write scheme, host and path only"),
        ("https://leaks.example/?key=hunter22", "write scheme, host and path only"),
        ("https://leaks.example/#here", "write scheme, host and path only"),
        ("https://ana:hunter22@leaks.example", "write scheme, host and path only"),
        ("https://leaks.example/a b", "write scheme, host and path only"),
        ("https://leaks.example/a\r\nX: y", "write scheme, host and path only"),
        ("https://lecks\u00e4.example", "write scheme, host and path only"),
    ],
)
def test_an_address_of_leaked_passwords_that_cannot_work_is_a_fault(tmp_path: Path, url: str, words: str) -> None:
    [fault] = faults_of(tmp_path, COUNTERSIGN_BREACH_URL=url)

    assert fault.startswith(f"COUNTERSIGN_BREACH_URL: {words}")
    assert "hunter22" not in fault


def test_host_and_hostname_come_from_the_public_url(tmp_path: Path) -> None:
    settings = read(tmp_path, COUNTERSIGN_PUBLIC_URL="https://Index.Example:8443/")

    assert (settings.public_url, settings.host, settings.hostname) == (
        "https://index.example:8443",
        "index.example:8443",
        "index.example",
    )


def test_no_secret_is_in_the_text_form(tmp_path: Path) -> None:
    settings = read(tmp_path, COUNTERSIGN_MAIL_URL="smtp://user:hunter22@mail.example")

    assert settings.secret_key not in repr(settings)
    assert repr(settings.encryption_keys[0]) not in repr(settings)
    assert "hunter22" not in repr(settings)


def test_each_variable_of_the_table_is_read(tmp_path: Path) -> None:
    assert len({variable.name for variable in VARIABLES}) == len(VARIABLES)
    read(tmp_path, **{variable.name: "" for variable in VARIABLES if variable.name != "COUNTERSIGN_DATA_DIR"})


EXAMPLES = [
    "x" * 40,
    "abab" * 10,
    "0" * 31 + "1",
    "secret" * 6,
    "0123456789abcdef" * 2,
    "kP9xQ2mZ7w" * 4,
    "change-me-change-me-or-be-sorry-soon",
    "CHANGE_ME_to_something_long_and_wild",
    "replace this by thirty-two or more letters",
    "django-insecure-4kf!2kd0&h3b%qv8_zx1",
    "your-256-bit-secret-goes-here-please",
    "dev-key-for-my-laptop-only-2026-11-25",
    "openssl rand -hex 32 makes a good one",
    "qwertyuiopasdfghjklzxcvbnm1234567890",
]


@requirement("R98")
@pytest.mark.parametrize("key", ["hunter22", GOOD[:31], *EXAMPLES])
@pytest.mark.parametrize("place", ["environment", "NAME_FILE", "data folder"])
def test_a_short_or_guessable_secret_key_stops_the_start_wherever_it_stands(
    tmp_path: Path, key: str, place: str
) -> None:
    [fault] = _faults_of_key(tmp_path, "secret_key", key, place)

    assert "`openssl rand -hex 32` makes one." in fault
    assert key not in fault


def _faults_of_key(folder: Path, name: str, value: str, place: str) -> list[str]:
    """What the start says to this key; in the data folder after a first start that made a good one."""
    variable, file = f"COUNTERSIGN_{name.upper()}", folder / "data" / name
    if place == "environment":
        return faults_of(folder, **{variable: value})
    if place == "NAME_FILE":
        file = folder / "given"
        file.write_text(f"{value}\n")
        return faults_of(folder, **{f"{variable}_FILE": str(file)})
    read(folder)
    file.write_text(value)
    return faults_of(folder)


def ring(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


SOME, MORE = (hashlib.sha256(seed).digest() for seed in (b"some", b"more"))


@requirement("R98")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (ring(bytes(32)), "the first key must be random"),
        (ring(b"\xff" * 32), "the first key must be random"),
        (ring(b"0123456789abcdef" * 2), "the first key must be random"),
        (ring(b"my dog eats shoes, my cat sleeps"), "the first key must be random"),
        (ring(SOME[:16] * 2), "the first key must be random"),
        (ring(bytes(range(32))), "the first key must be random"),
        (ring(bytes(range(200, 104, -3))), "the first key must be random"),
        (ring(bytes(32), SOME), "the first key must be random"),
        (ring(SOME[:31]), "each key must be the base64 of 32 random bytes"),
        (ring(SOME, SOME[:16]), "each key must be the base64 of 32 random bytes"),
        (GOOD, "each key must be the base64 of 32 random bytes"),
        ("change-me", "each key must be the base64 of 32 random bytes"),
        (",", "each key must be the base64 of 32 random bytes"),
        (ring(SOME, SOME), "one key stands there twice"),
        (ring(SOME, MORE, SOME), "one key stands there twice"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "NAME_FILE", "data folder"])
def test_a_short_guessable_or_repeated_sealing_key_stops_the_start_wherever_it_stands(
    tmp_path: Path, value: str, words: str, place: str
) -> None:
    [fault] = _faults_of_key(tmp_path, "encryption_keys", value, place)

    assert words in fault
    assert "`openssl rand -base64 32`" in fault or "twice" in fault
    assert value.partition(",")[0] not in fault or value == ","


def test_a_guessable_key_may_follow_a_good_one_until_its_boxes_are_sealed_anew(tmp_path: Path) -> None:
    assert read(tmp_path, COUNTERSIGN_ENCRYPTION_KEYS=ring(SOME, bytes(32))).encryption_keys == (SOME, bytes(32))


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys"])
@pytest.mark.parametrize("place", ["NAME_FILE", "data folder"])
def test_a_key_file_that_is_empty_stops_the_start(tmp_path: Path, name: str, place: str) -> None:
    [fault] = _faults_of_key(tmp_path, name, "", place)

    assert "is empty" in fault


def test_keys_as_openssl_makes_them_are_taken(tmp_path: Path) -> None:
    for _ in range(50):
        first, second = secrets.token_bytes(32), secrets.token_bytes(32)
        for text in (first.hex(), first.hex()[:32], base64.b64encode(first).decode(), secrets.token_urlsafe(48)):
            taken = read(tmp_path, COUNTERSIGN_SECRET_KEY=text, COUNTERSIGN_ENCRYPTION_KEYS=ring(first, second))

            assert taken.secret_key == text
            assert taken.encryption_keys == (first, second)


def test_a_mail_address_that_cannot_work_names_its_variable(tmp_path: Path) -> None:
    settings = read(tmp_path, COUNTERSIGN_MAIL_URL="smtp://mail.example:99999")

    with pytest.raises(SettingsError) as caught:
        create_app(settings)

    assert caught.value.faults[0].startswith("COUNTERSIGN_MAIL_URL: ")


def test_without_settings_nothing_is_left_to_nginx(tmp_path: Path) -> None:
    settings = read(tmp_path)

    assert (settings.static_dir, settings.accel_prefix) == (None, "")


def test_what_nginx_sends_by_itself_is_a_setting(tmp_path: Path) -> None:
    files = {"COUNTERSIGN_STORAGE_URL": f"file://{tmp_path}/files", "COUNTERSIGN_ACCEL_PREFIX": "/_files/"}

    settings = read(tmp_path, COUNTERSIGN_STATIC_DIR=str(tmp_path / "pages"), **files)

    assert (settings.static_dir, settings.accel_prefix) == (tmp_path / "pages", "/_files/")


@pytest.mark.parametrize("place", ["data", "data/pages", ".", "files", "files/pages"])
def test_a_tree_that_would_give_out_keys_or_files_stops_the_start(tmp_path: Path, place: str) -> None:
    files = {"COUNTERSIGN_STORAGE_URL": f"file://{tmp_path}/files"}

    [fault] = faults_of(tmp_path, COUNTERSIGN_STATIC_DIR=str(tmp_path / place), **files)

    assert fault.startswith("COUNTERSIGN_STATIC_DIR: take a folder apart from data and storage")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("STATIC_DIR", "pages", "write the whole path of a folder"),
        ("SIGNED_DOWNLOADS", "59", "give seconds from 60 to 604800"),
        ("SIGNED_DOWNLOADS", "604801", "give seconds from 60 to 604800"),
        ("SIGNED_DOWNLOADS", "5m", "give seconds from 60 to 604800"),
        ("SIGNED_DOWNLOADS", "300", "only a cloud signs addresses"),
        ("ACCEL_PREFIX", "files", "write a name with an underscore"),
        ("ACCEL_PREFIX", "/_files", "write a name with an underscore"),
        ("ACCEL_PREFIX", "/packages/", "write a name with an underscore"),
        ("ACCEL_PREFIX", "/_a/../", "write a name with an underscore"),
        ("ACCEL_PREFIX", "/_a\n/", "write a name with an underscore"),
    ],
)
def test_a_wrong_setting_for_nginx_stops_the_start(tmp_path: Path, name: str, text: str, words: str) -> None:
    [fault] = faults_of(tmp_path, **{f"COUNTERSIGN_{name}": text})

    assert fault.startswith(f"COUNTERSIGN_{name}: ")
    assert words in fault


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "memory:"])
def test_nginx_cannot_send_what_is_not_on_this_machine(tmp_path: Path, url: str) -> None:
    faults = faults_of(tmp_path, COUNTERSIGN_STORAGE_URL=url, COUNTERSIGN_ACCEL_PREFIX="/_files/")

    assert faults == ["COUNTERSIGN_ACCEL_PREFIX: nginx sends files of this machine only. Take a file: storage."]


def test_a_tree_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(SettingsError, match=r"COUNTERSIGN_STATIC_DIR: .*: Not a directory"):
        create_app(read(tmp_path, COUNTERSIGN_STATIC_DIR=str(tmp_path / "file/pages")))
