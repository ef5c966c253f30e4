"""An office with one member who also has accounts at the stand-in portal."""

from __future__ import annotations

import pytest

from console.domain.registration import Outcome
from console.sandbox.portal import RunningPortal
from console.services import polling
from console.services.desk import Desk
from tests import town as outside
from tests.town import Town


@pytest.fixture
def town(desk: Desk, portal: RunningPortal) -> Town:
    return outside.found(desk, portal)


@pytest.fixture
def waiting(town: Town) -> Town:
    """Rose has registered and waits for her e-mail; the throttle is over."""
    assert town.registers() is Outcome.REGISTERED
    polling.poll(town.desk)
    town.desk.now.advance(minutes=5)  # type: ignore[attr-defined]
    return town
