"""A decision: the steps that were taken, and the permit or denial that follows from them."""

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from enum import Enum
from typing import Final

from domain.policy.actions import Action
from domain.policy.principals import Anonymous, Member, Principal, Publisher, Standing
from domain.policy.targets import Subject, Target, ref


class Reason(Enum):
    """Why an action was refused; the value is the `code` that programs read."""

    NOT_SIGNED_IN = "not_signed_in"
    ACCOUNT_FROZEN = "account_frozen"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    TOKEN_SCOPE = "token_scope"  # noqa: S105
    TOKEN_NETWORK = "token_network"  # noqa: S105
    PUBLISHER_SCOPE = "publisher_scope"
    NO_PERMISSION = "no_permission"
    PROJECT_ARCHIVED = "project_archived"
    PROJECT_QUARANTINED = "project_quarantined"
    PUBLISHERS_ONLY = "publishers_only"
    EMAIL_UNVERIFIED = "email_unverified"
    ADDRESS_PROOF_REQUIRED = "address_proof_required"
    TWO_FACTOR_REQUIRED = "two_factor_required"
    KEY_REQUIRED = "key_required"
    CONFIRMATION_REQUIRED = "confirmation_required"


@dataclass(frozen=True, slots=True)
class Step:
    """One question, what it was answered from, and the answer.

    inputs: (name, value) pairs in words.
    answer: "yes", "no", "not asked" or "not reached".
    stops: why the action is refused here, or None when the decision goes on.
    rule: the enforcement rule that spoke, where one did.
    """

    question: str
    answer: str
    inputs: tuple[tuple[str, str], ...] = ()
    stops: Reason | None = None
    rule: str | None = None

    @property
    def facts(self) -> dict[str, object]:
        """The step as the journal keeps it."""
        return {
            "question": self.question,
            "answer": self.answer,
            "inputs": list(self.inputs),
            "stops": bool(self.stops),
        }


class PermitMismatch(TypeError):
    """A permit was used for something that it was not made for: a fault in our code, never the caller's."""


_JUDGE: Final = object()


@dataclass(frozen=True)
class Permit:
    """Proof that `judge` allowed this principal this action on this target. Nothing else can make one."""

    action: Action
    principal: Principal
    target: Target | None
    steps: tuple[Step, ...]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _JUDGE:
            raise PermitMismatch("only judge() makes permits")

    def covers(self, action: Action, subject: Subject | None = None) -> None:
        """Return if the permit is for this action and this row; raise PermitMismatch if it is for any other."""
        held = ref(self.target.subject) if self.target else None
        if self.action is not action or held != ref(subject):
            raise PermitMismatch(
                f"a permit for {self.action.name} on {held} does not cover {action.name} on {ref(subject)}"
            )

    @property
    def member(self) -> Member:
        """The person in a browser whom it was made for; raises PermitMismatch if it was made for anybody else."""
        if not isinstance(self.principal, Member):
            raise PermitMismatch(f"{self.action.name} is for people in a browser")
        return self.principal

    @property
    def account(self) -> Standing:
        """The account that acts, by browser, by token, or by the operator in its place; raises PermitMismatch if there
        is none."""
        account = None if isinstance(self.principal, Anonymous) else self.principal.account
        if account is None:
            raise PermitMismatch(f"{self.action.name} is for people with an account")
        return account

    @property
    def actor_id(self) -> int | None:
        """The account that acts; None for a CI job, which has none."""
        return None if isinstance(self.principal, Publisher) else self.account.user_id

    @property
    def by(self) -> str:
        """Who acts, as others are told: a username, or what a CI job is called."""
        return self.principal.name if isinstance(self.principal, Publisher) else self.account.username


@dataclass(frozen=True)
class Denial:
    """A refusal, with the step that stopped it."""

    action: Action
    principal: Principal
    target: Target | None
    steps: tuple[Step, ...]
    stopped_by: Step

    @property
    def reason(self) -> Reason:
        """Why."""
        assert self.stopped_by.stops is not None  # noqa: S101 - fold() picks a step that stops
        return self.stopped_by.stops

    @property
    def rule(self) -> str | None:
        """The enforcement rule that refused, if one did."""
        return self.stopped_by.rule


class NoLongerPermitted(Exception):
    """What was allowed when it began is refused by now, judged once more under a lock."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.reason.value)
        self.denial = denial


Decision = Permit | Denial


def fold(steps: Sequence[Step], *, action: Action, principal: Principal, target: Target | None) -> Decision:
    """The outcome that the steps carry: the first one that stops decides; if none does, it is allowed."""
    for step in steps:
        if step.stops is not None:
            return Denial(action, principal, target, tuple(steps), step)
    return Permit(action, principal, target, tuple(steps), made_by=_JUDGE)
