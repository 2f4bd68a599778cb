"""Which API tokens can touch a project, and whose they are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session, lazyload

from domain.index.keepers import ids_of
from models import ApiToken, Project, User, token_project

PAGE = 50


@dataclass(frozen=True)
class Touching:
    """A token that can act on the project. Where it comes from stays its owner's to tell.

    others: how many more projects it reaches; None for a token of the whole account.
    """

    id: int
    username: str
    description: str
    grants: list[str]
    others: int | None
    expires_at: datetime | None
    last_used_at: datetime | None

    @property
    def reach(self) -> str:
        """How far it reaches, in words."""
        if self.others is None:
            return "The whole account"
        if self.others == 0:
            return "This project alone"
        return "This and 1 other" if self.others == 1 else f"This and {self.others} others"


@dataclass(frozen=True)
class Leaf:
    """One page of them. older: what `after` the next page begins; None where this is the last."""

    tokens: list[Touching]
    older: int | None


def touching(db: Session, project: Project, *, now: datetime, after: int | None = None, most: int = PAGE) -> Leaf:
    """The tokens that can do something in the project: their owner has a role in it and may act, they reach it and
    have not ended. By their owners' names, each owner's newest first; after the token `after`, which anybody may have
    removed meanwhile: then from the first.
    """
    here = select(token_project.c.token_id).where(token_project.c.project_id == project.id)
    reached = select(func.count()).where(token_project.c.token_id == ApiToken.id).correlate(ApiToken).scalar_subquery()
    found = (
        select(ApiToken, User.username, reached)
        .join(User, User.id == ApiToken.user_id)
        .where(
            User.is_active,
            ApiToken.user_id.in_(ids_of(project)),
            or_(ApiToken.reaches_all, ApiToken.id.in_(here)),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
        .options(lazyload(ApiToken.projects))
    )
    last = db.get(ApiToken, after) if after is not None else None
    if last is not None:
        key = db.scalar(select(User.username_key).where(User.id == last.user_id))
        found = found.where(tuple_(User.username_key, -ApiToken.id) > tuple_(key, -last.id))
    rows = db.execute(found.order_by(User.username_key, ApiToken.id.desc()).limit(most + 1)).all()
    tokens = [_touching(*row) for row in rows[:most]]
    return Leaf(tokens, older=tokens[-1].id if len(rows) > most else None)


def _touching(token: ApiToken, username: str, reached: int) -> Touching:
    return Touching(
        id=token.id,
        username=username,
        description=token.description,
        grants=token.grants,
        others=None if token.reaches_all else reached - 1,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )
