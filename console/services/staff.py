"""Sign in and see who may."""

from __future__ import annotations

from dataclasses import dataclass

from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.models.base import Records
from console.services.desk import Colleague, Desk
from console.settings import Settings


class SignInRefused(ConsoleError):
    """The login and the password do not go together."""


@dataclass(frozen=True)
class TrainingSeat:
    """A colleague of the training co-op whom one click signs in."""

    login: str
    name: str
    role: Role


def training_seats(records: Records) -> tuple[TrainingSeat, ...]:
    """List who may sign in with one click while training; nobody outside training."""
    raise NotImplementedError


def sign_in(
    records: Records, settings: Settings, login: str, password: str, workstation: str
) -> Colleague:
    """Check a login and password, and write the sign-in or its refusal on the trail."""
    raise NotImplementedError


def sit_down(records: Records, settings: Settings, login: str, workstation: str) -> Colleague:
    """Sign in to the training co-op without a password."""
    raise NotImplementedError


def sign_out(desk: Desk) -> None:
    """Write on the trail that the colleague has left."""
    raise NotImplementedError
