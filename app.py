"""The composition root: the one file that knows every room."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from flask_migrate import Migrate
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from werkzeug.middleware.proxy_fix import ProxyFix

from adapters.breaches import NoBreaches, RangeService
from adapters.clock import Clock, SystemClock
from adapters.identity_tokens import IdentityTokens, PublishedIssuers
from adapters.leak_keys import PublishedKeys
from adapters.mail import Mailer, mailer_from_url
from adapters.secretbox import SecretBox
from adapters.static_tree import StaticTree
from adapters.storage import open_store
from blueprints import (
    admin,
    api,
    auth,
    browse,
    caller,
    errors,
    forgery,
    gate,
    headers,
    management,
    mfa,
    page_context,
    page_files,
    publishing,
    rendering,
    simple,
    site,
    upload,
    wiring,
)
from blueprints.browser_session import RowSessionInterface
from blueprints.simple.front import Front
from config import LOOPBACK_NAMES, VERSION, Settings, SettingsError
from domain import upkeep
from domain.identity.passkeys import RelyingParty
from domain.identity.passwords import HashCost, PasswordHasher
from domain.index import downloads
from domain.index.name_list import NameList
from domain.index.upload_rules import UploadRules
from domain.notices import Notices
from domain.policy.rules import Policy
from models.base import begin_writing, db, prepare_engine

Built = TypeVar("Built")
SITE_NAME = "Countersign"
BLUEPRINTS = (auth.bp, mfa.bp, management.bp, admin.bp, browse.bp, simple.bp, upload.bp, publishing.bp, api.bp, site.bp)
FORM_BYTES = 1_000_000  # the largest form that is no upload; the upload view sets its own limit
MAIL_EVERY = timedelta(seconds=3)
COUNT_EVERY = timedelta(seconds=20)  # what a process that dies has counted for nothing, at most
LIST_EVERY = timedelta(seconds=20)  # after a new name we send the list of all projects for so long, and not nginx
MEND_EVERY = timedelta(minutes=10)
SWEEP_EVERY = timedelta(minutes=10)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    mailer: Mailer | None = None,
    identity_tokens: IdentityTokens | None = None,
) -> Flask:
    """Build the application.

    settings: read from the environment when None; raises config.SettingsError naming every fault.
    clock, mailer, identity_tokens: other ones for tests and demonstrations.
    Raises gate.NakedRoute if any route is neither behind the gate nor declared public.
    """
    settings = settings or Settings.from_environment()
    _write_logs()
    app = Flask(__name__)
    _configure(app, settings)
    _connect_database(app)
    app.extensions[wiring.EXTENSION] = _services(app, settings, clock or SystemClock(), mailer, identity_tokens)
    app.session_interface = RowSessionInterface()
    caller.SessionLogin().init_app(app)
    forgery.install(app)
    headers.install(app)
    page_files.listen()
    errors.install(app)
    page_context.install(app)
    app.jinja_env.filters.update(rendering.FILTERS)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.extensions["countersign_scheduler"] = partial(start_scheduler, app)
    gate.public(app.view_functions["static"])
    gate.seal(app)
    app.wsgi_app = Front(app)  # type: ignore[method-assign]  # outermost: what it answers, nothing else sees
    return app


def start_scheduler(app: Flask) -> BackgroundScheduler:
    """Deliver mail, write download counts down, mend the static tree and sweep up, in a thread of this process. Every
    job claims its work in the database, so several processes may run it."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(_deliver, "interval", [app], seconds=MAIL_EVERY.total_seconds())
    scheduler.add_job(count_downloads, "interval", [app], seconds=COUNT_EVERY.total_seconds())
    scheduler.add_job(_sweep, "interval", [app], seconds=SWEEP_EVERY.total_seconds())
    if app.extensions[wiring.EXTENSION].static_tree is not None:
        at_once = datetime.now(UTC)
        scheduler.add_job(page_files.mend, "interval", [app], seconds=MEND_EVERY.total_seconds(), next_run_time=at_once)
        scheduler.add_job(page_files.write_list, "interval", [app], seconds=LIST_EVERY.total_seconds())
    scheduler.start()
    return scheduler


def _deliver(app: Flask) -> None:
    with app.app_context():
        found = wiring.services()
        found.notices.deliver_due(db.session(), found.mailer, now=found.clock.now())


def count_downloads(app: Flask) -> None:
    """Write down what this process has counted; what cannot be written now is counted on."""
    with app.app_context():
        tally = wiring.services().downloads
        if not (counts := tally.take()):
            return
        try:
            begin_writing(db.session())
            downloads.keep(db.session(), counts)
            db.session.commit()
        except Exception:
            tally.give_back(counts)
            raise


def _sweep(app: Flask) -> None:
    with app.app_context():
        found = wiring.services()
        upkeep.sweep(db.session(), found.store, found.box, found.notices, now=wiring.now())
        db.session.commit()


def _write_logs() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),  # repr: no line breaks
        ],
        cache_logger_on_first_use=True,
    )


def _configure(app: Flask, settings: Settings) -> None:
    hostname = settings.hostname
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},  # an error's text is logged; hashes and addresses are not
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        TRUSTED_HOSTS=sorted(LOOPBACK_NAMES) if hostname in LOOPBACK_NAMES else [hostname],
        PREFERRED_URL_SCHEME="https" if settings.is_https else "http",
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]


def _connect_database(app: Flask) -> None:
    db.init_app(app)
    Migrate(app, db, directory=str(app.root_path) + "/migrations", render_as_batch=True, compare_type=True)
    with app.app_context():
        prepare_engine(db.engine)


def _services(
    app: Flask, settings: Settings, clock: Clock, mailer: Mailer | None, identity_tokens: IdentityTokens | None
) -> wiring.Services:
    facts = wiring.SiteFacts(SITE_NAME, settings.host, settings.public_url, VERSION)
    box = SecretBox(settings.encryption_keys)
    letters = Environment(
        loader=FileSystemLoader(app.root_path + "/templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    letters.filters.update(rendering.FILTERS)
    return wiring.Services(
        site=facts,
        clock=clock,
        box=box,
        hasher=PasswordHasher(HashCost(settings.hash_time_cost, settings.hash_memory_kib, 1)),
        breaches=RangeService(settings.breach_url) if settings.breach_url else NoBreaches(),
        leak_keys=PublishedKeys(settings.leak_keys_url) if settings.leak_keys_url else None,
        identity_tokens=identity_tokens or PublishedIssuers(),
        notices=Notices(letters, box, sender=settings.mail_from, site=facts),
        mailer=mailer or _checked("COUNTERSIGN_MAIL_URL", lambda: mailer_from_url(settings.mail_url, sys.stdout)),
        store=_checked("COUNTERSIGN_STORAGE_URL", lambda: open_store(settings.storage_url, settings.data_dir)),
        signed_for=timedelta(seconds=settings.signed_downloads) if settings.signed_downloads else None,
        accel_prefix=settings.accel_prefix,
        static_tree=_static_tree(settings),
        name_list=NameList(),
        downloads=downloads.Tally(),
        policy=Policy.from_dates(
            new_users_from=settings.require_2fa_new_users_from,
            everyone_from=settings.require_2fa_everyone_from,
            members_only=settings.read_access == "members",
        ),
        party=RelyingParty.at(settings.public_url, name=f"{SITE_NAME} {settings.host}"),
        registration=settings.registration,
        confirms_new_browsers=settings.new_browsers == "confirm",
        upload_rules=UploadRules(
            takes_direct_urls=settings.direct_urls == "allowed",
            takes_local_versions=settings.local_versions == "allowed",
            more_platforms=settings.platform_tags,
            max_file_bytes=settings.max_file_bytes,
            max_project_bytes=settings.max_project_bytes,
            max_index_bytes=settings.max_index_bytes,
        ),
        longest_token=timedelta(days=settings.max_token_days) if settings.max_token_days else None,
        is_https=settings.is_https,
    )


def _static_tree(settings: Settings) -> StaticTree | None:
    if settings.static_dir is None:
        return None
    try:
        return StaticTree(settings.static_dir, for_members=settings.read_access == "members")
    except OSError as error:
        raise SettingsError([f"COUNTERSIGN_STATIC_DIR: {error.filename}: {error.strerror}."]) from None


def _checked(variable: str, build: Callable[[], Built]) -> Built:
    """What `build` makes of a setting; a ValueError of it names the variable and stops the start."""
    try:
        return build()
    except ValueError as error:
        raise SettingsError([f"{variable}: {error}"]) from None
