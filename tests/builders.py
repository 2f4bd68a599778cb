"""People and projects in any state: `people.a_user("ana").verified().with_totp().build()`."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

import pyotp
from flask import Flask
from packaging.version import Version

from adapters.clock import SettableClock
from domain.identity import recovery, token_texts
from domain.identity.factors import secret_context
from domain.index.names import lookalike_key, normalize
from domain.index.publisher_identities import GITHUB, check
from domain.index.versions import version_key
from domain.policy.principals import Grant
from models import (
    ApiToken,
    DeletedFile,
    DeletedFilename,
    DeletedRelease,
    Email,
    File,
    Invitation,
    Issuer,
    KeptName,
    MintedToken,
    Organization,
    OrganizationMember,
    OrganizationRequest,
    Passkey,
    PendingPublisher,
    Project,
    ProjectRole,
    RecoveryCode,
    Release,
    Team,
    TeamMember,
    TeamProject,
    TotpApp,
    Transfer,
    TrustedPublisher,
    User,
    db,
)
from models.organization import organization_key
from tests.authenticator import Authenticator
from tests.browsing import wiring_of

PASSWORD = "correct horse battery staple 9"


class UserBuilder:
    """Builds one account. Every step returns the builder; `build()` writes it."""

    def __init__(self, app: Flask, clock: SettableClock, username: str) -> None:
        self._app = app
        self._clock = clock
        self._username = username
        self._registered_at = clock.now()
        self._is_verified = False
        self._is_active = True
        self._apps: list[tuple[str, str]] = []
        self._keys: list[tuple[Authenticator, str]] = []
        self._codes: list[str] = []
        self._others: list[tuple[str, bool]] = []
        self._password = PASSWORD

    def verified(self) -> "UserBuilder":
        """The primary address is verified."""
        self._is_verified = True
        return self

    def registered(self, at: datetime) -> "UserBuilder":
        """The account is older, or newer."""
        self._registered_at = at
        return self

    def frozen(self) -> "UserBuilder":
        """The account is not active."""
        self._is_active = False
        return self

    def also(self, address: str, *, verified: bool = False) -> "UserBuilder":
        """A further address."""
        self._others.append((address, verified))
        return self

    def with_totp(self, label: str = "My phone", secret: str | None = None) -> "UserBuilder":
        """An authenticator app; its secret is `user_secret(user)` later."""
        self._apps.append((label, secret or pyotp.random_base32()))
        return self

    def with_passkey(self, authenticator: Authenticator, label: str = "My key") -> "UserBuilder":
        """A passkey or security key that the authenticator holds."""
        self._keys.append((authenticator, label))
        return self

    def with_recovery_codes(self, *codes: str) -> "UserBuilder":
        """Recovery codes, saved and confirmed; ten new ones unless given."""
        self._codes = list(codes) or recovery.new_codes(secrets.token_bytes)
        return self

    def build(self) -> User:
        """Write the account and return it. Its secrets hang on it for tests: `.test_secrets`, `.test_codes`."""
        found, now = wiring_of(self._app), self._clock.now()
        user = User(
            username=self._username,
            username_key=self._username.lower(),
            password_hash=found.hasher.hash(self._password),
            password_changed_at=self._registered_at,
            registered_at=self._registered_at,
            is_active=self._is_active,
            recovery_codes_confirmed_at=now if self._codes else None,
            passkey_handle=secrets.token_bytes(32) if self._keys else None,
        )
        addresses = [(f"{self._username.lower()}@mail.example", self._is_verified), *self._others]
        user.emails = [
            Email(
                address=address,
                address_key=address,
                is_primary=number == 0,
                added_at=self._registered_at,
                verified_at=self._registered_at if is_verified else None,
            )
            for number, (address, is_verified) in enumerate(addresses)
        ]
        db.session.add(user)
        db.session.flush()
        for label, secret in self._apps:
            public_id = secrets.token_hex(8)
            context = secret_context(user_id=user.id, public_id=public_id)
            sealed = found.box.seal(secret.encode(), context=context)
            db.session.add(
                TotpApp(
                    public_id=public_id,
                    user_id=user.id,
                    label=label,
                    secret_sealed=sealed,
                    last_step=0,
                    added_at=now,
                )
            )
        for authenticator, label in self._keys:
            db.session.add(_row_of(authenticator, label, user, now=now))
        for code in self._codes:
            code_hash = found.hasher.hash(recovery.clean_recovery_code(code))
            db.session.add(RecoveryCode(user_id=user.id, code_hash=code_hash, made_at=now))
        db.session.commit()
        user.test_secrets = [secret for _, secret in self._apps]  # type: ignore[attr-defined]
        user.test_codes = self._codes  # type: ignore[attr-defined]
        return user


def _row_of(authenticator: Authenticator, label: str, user: User, *, now: datetime) -> Passkey:
    """A new key of the authenticator, as the index keeps it."""
    key = authenticator.hold(user.passkey_handle or b"")
    return Passkey(
        public_id=secrets.token_hex(8),
        user_id=user.id,
        label=label,
        credential_id=key.credential_id,
        public_key=key.public_key,
        sign_count=key.count,
        aaguid=str(uuid.UUID(bytes=authenticator.aaguid)),
        transports=" ".join(sorted(authenticator.transports)),
        verifies_user=authenticator.verifies_user,
        is_discoverable=authenticator.is_discoverable,
        is_backup_eligible=authenticator.is_backup_eligible,
        is_backed_up=authenticator.is_backed_up,
        added_at=now,
    )


class People:
    """Everybody in a test."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self._app = app
        self._clock = clock

    def a_user(self, username: str = "ana") -> UserBuilder:
        """Somebody who has just registered."""
        return UserBuilder(self._app, self._clock, username)

    def a_member(self, username: str = "ana") -> User:
        """Somebody who may do everything: verified, with an authenticator app and recovery codes."""
        return self.a_user(username).verified().with_totp().with_recovery_codes().build()

    def a_project(self, name: str, owner: User, *, maintainers: tuple[User, ...] = ()) -> Project:
        """A reserved name with its people."""
        now = self._clock.now()
        project = Project(
            name=name,
            normalized_name=normalize(name),
            lookalike_key=lookalike_key(name),
            created_at=now,
            updated_at=now,
        )
        project.roles = [ProjectRole(user_id=owner.id, role="owner", since=now)]
        project.roles += [ProjectRole(user_id=user.id, role="maintainer", since=now) for user in maintainers]
        db.session.add(project)
        db.session.commit()
        return project

    def a_release(
        self,
        project: Project,
        version: str = "1.0",
        *,
        by: User,
        files: int = 1,
        yanked_at: datetime | None = None,
    ) -> Release:
        """A release with wheels of it, without their bytes in the store."""
        now = self._clock.now()
        release = Release(
            project_id=project.id,
            version=version,
            version_key=version_key(Version(version)),
            is_prerelease=Version(version).is_prerelease,
            created_at=now,
            uploaded_by_id=by.id,
            summary=f"What {project.name} {version} is",
            core_metadata={"name": project.name, "version": version},
            yanked_at=yanked_at,
        )
        for number in range(files):
            filename = f"{project.normalized_name.replace('-', '_')}-{version}-{number}-py3-none-any.whl"
            digest = hashlib.sha256(filename.encode()).hexdigest()
            release.files.append(
                File(
                    filename=filename,
                    kind="bdist_wheel",
                    tags="Wheel for any Python 3",
                    size_bytes=20_480,
                    sha256=digest,
                    blake2_256=digest,
                    uploaded_at=now,
                    uploaded_with="twine/6.2.0 CPython/3.12.4",
                )
            )
        db.session.add(release)
        db.session.commit()
        return release

    def a_removal(self, project: Project, version: str, *, by: User, files: int = 1) -> DeletedRelease:
        """A release that was deleted just now, without its bytes in the store."""
        release, now = self.a_release(project, version, by=by, files=files), self._clock.now()
        removed = DeletedRelease(
            project_id=project.id,
            version=version,
            version_key=release.version_key,
            is_prerelease=release.is_prerelease,
            created_at=now,
            uploaded_by_id=by.id,
            core_metadata=release.core_metadata,
            summary=release.summary,
            deleted_at=now,
            deleted_by_id=by.id,
        )
        for file in release.files:
            removed.files.append(
                DeletedFile(
                    filename=file.filename,
                    kind=file.kind,
                    tags=file.tags,
                    size_bytes=file.size_bytes,
                    sha256=file.sha256,
                    blake2_256=file.blake2_256,
                    uploaded_at=now,
                    uploaded_with=file.uploaded_with,
                )
            )
            db.session.add(DeletedFilename(filename=file.filename, deleted_at=now))
        db.session.add(removed)
        db.session.delete(release)
        db.session.commit()
        return removed

    def a_token(
        self,
        owner: User,
        description: str = "ci",
        *,
        projects: tuple[Project, ...] | None = None,
        expires_at: datetime | None = None,
        grants: tuple[Grant, ...] = (Grant.UPLOAD,),
        networks: tuple[str, ...] = (),
        creates_project: bool = False,
    ) -> tuple[ApiToken, str]:
        """A token and its text; for everything unless projects are named."""
        text = token_texts.new_token(secrets.token_bytes)
        token = ApiToken(
            user_id=owner.id,
            description=description,
            token_hash=token_texts.token_hash(text),
            hint=token_texts.hint(text),
            reaches_all=projects is None,
            projects=list(projects or ()),
            creates_project=creates_project,
            grants=[grant.value for grant in grants],
            networks=list(networks),
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        db.session.add(token)
        db.session.commit()
        return token, text

    def a_rotated_token(self, owner: User, description: str = "ci") -> tuple[ApiToken, str]:
        """A token whose former secret works for another day, and the text of that one."""
        token, former = self.a_token(owner, description)
        text = token_texts.new_token(secrets.token_bytes)
        token.former_hash, token.former_hint = token.token_hash, token.hint
        token.former_until, token.rotated_at = self._clock.now() + timedelta(days=1), self._clock.now()
        token.token_hash, token.hint = token_texts.token_hash(text), token_texts.hint(text)
        db.session.commit()
        return token, former

    def an_organization(
        self,
        name: str,
        owner: User,
        *,
        managers: tuple[User, ...] = (),
        members: tuple[User, ...] = (),
        asks_for_key: bool = False,
    ) -> Organization:
        """An organization with its people."""
        now = self._clock.now()
        organization = Organization(
            name=name,
            name_key=organization_key(name),
            display_name=name.title(),
            asks_for_key=asks_for_key,
            created_at=now,
        )
        db.session.add(organization)
        db.session.flush()
        people = [(owner, "owner"), *((one, "manager") for one in managers), *((one, "member") for one in members)]
        for user, role in people:
            part = OrganizationMember(organization_id=organization.id, user_id=user.id, role=role, since=now)
            db.session.add(part)
        db.session.commit()
        return organization

    def a_request(self, name: str, user: User, **values: str) -> OrganizationRequest:
        """A request for an organization, open unless its values say otherwise."""
        request = OrganizationRequest(
            name=name,
            name_key=organization_key(name),
            display_name=name.title(),
            purpose="We look after the tide gauges together.",
            user_id=user.id,
            created_at=self._clock.now(),
            **values,
        )
        db.session.add(request)
        db.session.commit()
        return request

    def an_organizations_project(self, name: str, organization: Organization) -> Project:
        """A reserved name that an organization owns, and nobody else."""
        now = self._clock.now()
        project = Project(
            name=name,
            normalized_name=normalize(name),
            lookalike_key=lookalike_key(name),
            organization_id=organization.id,
            created_at=now,
            updated_at=now,
        )
        db.session.add(project)
        db.session.commit()
        return project

    def a_team(
        self,
        name: str,
        organization: Organization,
        *,
        members: tuple[User, ...] = (),
        projects: tuple[tuple[Project, str], ...] = (),
    ) -> Team:
        """A team of an organization. projects: each with the team's role in it."""
        now = self._clock.now()
        team = Team(organization_id=organization.id, name=name, name_key=organization_key(name), created_at=now)
        db.session.add(team)
        db.session.flush()
        db.session.add_all(TeamMember(team_id=team.id, user_id=user.id, since=now) for user in members)
        for project, role in projects:
            db.session.add(TeamProject(team_id=team.id, project_id=project.id, role=role, since=now))
        db.session.commit()
        return team

    def a_transfer(self, project: Project, to: User | Organization, *, by: User) -> Transfer:
        """A project that is offered to a person or an organization for a week."""
        now = self._clock.now()
        transfer = Transfer(
            project_id=project.id, offered_by_id=by.id, created_at=now, expires_at=now + timedelta(days=7)
        )
        if isinstance(to, User):
            transfer.to_user_id = to.id
        else:
            transfer.to_organization_id = to.id
        db.session.add(transfer)
        db.session.commit()
        return transfer

    def a_kept_name(self, name: str, owner: User) -> KeptName:
        """The name of a project that was deleted just now."""
        now = self._clock.now()
        kept = KeptName(
            name=name,
            normalized_name=normalize(name),
            lookalike_key=lookalike_key(name),
            deleted_at=now,
            kept_until=now + timedelta(days=30),
            owners=[owner],
        )
        db.session.add(kept)
        db.session.commit()
        return kept

    def a_publisher(self, project: Project, *, repository: str = "acme-utils") -> TrustedPublisher:
        """A workflow on GitHub that the project trusts."""
        values = {"owner": "acme", "repository": repository, "workflow": "release.yml"}
        found = check(GITHUB, values, {})
        row = TrustedPublisher(
            project_id=project.id, facts=found.facts, fingerprint=found.fingerprint, place=found.place
        )
        row.provider, row.issuer, row.added_at = found.provider, found.issuer, self._clock.now()
        db.session.add(row)
        db.session.commit()
        return row

    def a_minted_token(self, publisher: TrustedPublisher) -> str:
        """What a job of this publisher got just now."""
        text, now = token_texts.new_token(secrets.token_bytes), self._clock.now()
        token = MintedToken(token_hash=token_texts.token_hash(text), title="acme/acme-utils on GitHub", ref="", sha="")
        token.expires_at, token.publishers = now + timedelta(minutes=15), [publisher]
        db.session.add(token)
        db.session.commit()
        return text

    def a_pending(
        self, name: str, user: User, *, repository: str = "acme-utils", organization: Organization | None = None
    ) -> PendingPublisher:
        """A workflow on GitHub that waits for thirty days to create a project."""
        values, now = {"owner": "acme", "repository": repository, "workflow": "release.yml"}, self._clock.now()
        found = check(GITHUB, values, {})
        row = PendingPublisher(
            project_name=name,
            normalized_name=normalize(name),
            lookalike_key=lookalike_key(name),
            provider=found.provider,
            issuer=found.issuer,
            facts=found.facts,
            fingerprint=found.fingerprint,
            place=found.place,
            user_id=user.id,
            organization_id=organization.id if organization is not None else None,
            created_at=now,
            expires_at=now + timedelta(days=30),
        )
        db.session.add(row)
        db.session.commit()
        return row

    def an_issuer(self, url: str, *, provider: str = "oidc", name: str = "Our forge") -> Issuer:
        """An issuer of identities that an administrator added."""
        issuer = Issuer(url=url, provider=provider, name=name, added_at=self._clock.now())
        db.session.add(issuer)
        db.session.commit()
        return issuer

    def an_administrator(self, username: str = "root") -> User:
        """A member who is an administrator of the index."""
        user = self.a_member(username)
        user.is_admin = True
        db.session.commit()
        return user

    def an_invitation(self, project: Project, user: User, *, by: User, role: str = "maintainer") -> Invitation:
        """An invitation that is open for a week."""
        now = self._clock.now()
        invitation = Invitation(
            project_id=project.id,
            user_id=user.id,
            role=role,
            invited_by_id=by.id,
            created_at=now,
            expires_at=now + timedelta(days=7),
        )
        db.session.add(invitation)
        db.session.commit()
        return invitation


def code_of(user: User, clock: SettableClock, which: int = 0) -> str:
    """What the user's authenticator app shows now."""
    secret: str = user.test_secrets[which]  # type: ignore[attr-defined]
    return pyotp.TOTP(secret).at(clock.now())
