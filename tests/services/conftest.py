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


_ON_BOTH_IN_THE_SOAK = (
    "test_whatever_the_gateway_answers_it_is_charged_once",
    "test_killed_anywhere_one_wish_is_one_card_and_one_customer",
)
"""Long ones of which the ordinary tests have the one engine, and the soak has both."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the second engine of the longest tests to the soak."""
    for item in items:
        name, _, which = item.name.partition("[")
        if name in _ON_BOTH_IN_THE_SOAK and which.startswith("postgresql"):
            item.add_marker(pytest.mark.soak)
