"""The next step: what a good colleague would do now for this member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain import times
from console.domain.members import AccountStatus
from console.domain.registration import CaseKind, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus
from console.models.accounts import Account
from console.models.members import Member, NameCorrection
from console.services.desk import Desk
from console.services.member_page import NextAct, NextStep
from console.services.standing import Standing, reason_words

_URGENT = (CaseKind.REFUSED, CaseKind.BOUNCED, CaseKind.EXPIRED, CaseKind.LOCKED, CaseKind.WAITING)
"""What is looked at first when several accounts need something."""


@dataclass(frozen=True)
class _Case:
    account: Account
    standing: Standing
    kind: CaseKind


def next_step(
    desk: Desk,
    member: Member,
    accounts: Sequence[Account],
    standings: Mapping[str, Standing],
    corrections: Sequence[NameCorrection],
    *,
    in_call: bool,
    verified: bool,
) -> NextStep:
    """Choose the one thing to do now."""
    case = _most_urgent(accounts, standings)
    if in_call and not verified:
        # A filed spelling or an address is told to nobody who has not said who they are.
        then = "" if case is None else " Then: " + _about(desk, case, corrections).say
        account = accounts[0].number if case is None and accounts else ""
        return NextStep(
            "Verify the caller first: three facts, one of them private." + then,
            NextAct.VERIFY_CALLER,
            case.account.number if case else account,
        )
    if case is not None:
        return _about(desk, case, corrections)
    return _nothing_wrong(desk, member, accounts, standings)


def _most_urgent(accounts: Sequence[Account], standings: Mapping[str, Standing]) -> _Case | None:
    cases = [
        _Case(account, standing, standing.registration.kind)
        for account in accounts
        if account.status is not AccountStatus.CLOSED
        and (standing := standings[account.number]).registration is not None
        and standing.registration.kind in _URGENT
    ]
    cases.sort(key=lambda case: _since(case.standing), reverse=True)
    cases.sort(key=lambda case: _URGENT.index(case.kind))
    return cases[0] if cases else None


def _since(standing: Standing) -> datetime:
    if standing.registration is None:
        raise ValueError("an account the portal never spoke of has no case")
    return standing.attempts[0].at if standing.attempts else standing.registration.since


def _about(desk: Desk, case: _Case, corrections: Sequence[NameCorrection]) -> NextStep:
    number = case.account.number
    match case.kind:
        case CaseKind.REFUSED:
            return _refused(desk, case, corrections)
        case CaseKind.BOUNCED:
            return NextStep(_bounced(case.standing), NextAct.CORRECT_EMAIL, number)
        case CaseKind.EXPIRED:
            return NextStep(_expired(desk, case.standing), NextAct.RESEND, number)
        case CaseKind.LOCKED:
            return NextStep(
                f"The account is locked after wrong passwords. Ask the member to choose “Forgot "
                f"password” at {desk.settings.portal_name}.",
                NextAct.NONE,
                number,
            )
        case _:
            return NextStep(_waiting(desk, case.standing), NextAct.READ_PASSWORD_RULE, number)


def _refused(desk: Desk, case: _Case, corrections: Sequence[NameCorrection]) -> NextStep:
    last = case.standing.attempts[0] if case.standing.attempts else None
    newest = next((c for c in corrections if c.undone_at is None), None)
    if newest is not None and (last is None or newest.corrected_at > last.at):
        return NextStep(
            f"The name was corrected {_say(desk, newest.corrected_at)}. Ask the member to register "
            f"again as “{newest.name_after}”, account number {case.account.number}.",
            NextAct.EXPLAIN_REFUSAL,
            case.account.number,
        )
    if last is None:
        say = "The registration was refused. Explain why, or correct the file."
    elif last.outcome is Outcome.ACCOUNT_NOT_FOUND:
        say = (
            f"Refused {_say(desk, last.at)}: “{last.account_typed}” is not how the account number "
            "must be typed. Explain it to the caller."
        )
    else:
        say = (
            f"Refused {_say(desk, last.at)}: “{last.name_typed}” was typed. Explain why, or "
            "correct the file."
        )
    return NextStep(say, NextAct.EXPLAIN_REFUSAL, case.account.number)


def _bounced(standing: Standing) -> str:
    back = next((d for d in standing.deliveries if d.status is DeliveryStatus.BOUNCED), None)
    why = "" if back is None else " " + reason_words(back)
    return f"The verify-account e-mail came back.{why}"


def _expired(desk: Desk, standing: Standing) -> str:
    ran_out = standing.registration.expires_at if standing.registration else None
    when = f" {_say(desk, ran_out)}" if ran_out else ""
    return f"The link in the verify-account e-mail ran out{when}. Send the e-mail again."


def _waiting(desk: Desk, standing: Standing) -> str:
    sent = standing.registration.sent_at if standing.registration else None
    when = f" {_say(desk, sent)}" if sent else ""
    return (
        f"The verify-account e-mail went{when}. Have the member look in the spam folder too, press "
        "Verify Account in it, and read the password rule out."
    )


def _nothing_wrong(
    desk: Desk, member: Member, accounts: Sequence[Account], standings: Mapping[str, Standing]
) -> NextStep:
    portal = desk.settings.portal_name
    supplied = [a for a in accounts if a.status is not AccountStatus.CLOSED]
    if not supplied:
        return NextStep("No account is supplied any more.", NextAct.NONE, "")
    fresh = next((a for a in supplied if _is_unregistered(standings[a.number])), None)
    if fresh is not None:
        return NextStep(
            f"Not registered at {portal} yet. It takes account number {fresh.number} and the name "
            f"“{member.name}”.",
            NextAct.NONE,
            fresh.number,
        )
    return NextStep(
        f"Registered and verified at {portal}. Nothing waits to be done.",
        NextAct.NONE,
        supplied[0].number,
    )


def _is_unregistered(standing: Standing) -> bool:
    registration = standing.registration
    return registration is None or registration.state is not RegistrationState.VERIFIED


def _say(desk: Desk, moment: datetime) -> str:
    return times.when(moment, desk.now(), desk.settings.zone)
