"""The stand-in against the written contract, with requests nobody would think of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from console.domain.registration import Outcome, RegistrationState
from console.sandbox import portal
from tests.stand_ins import ACCOUNTS, DELONG, FARMS, OBRIEN

CONTRACT = Path(__file__).parents[2] / "resources" / "portal-staff-api.yaml"
WAITING, VERIFIED = "reg_waiting", "reg_verified"
NOW = datetime.now(UTC)

contract = schemathesis.openapi.from_path(
    CONTRACT,
    config=SchemathesisConfig.from_dict(
        {
            "checks": {
                # Besides the usual ones: a lapsed registration and a reused key are refusals of
                # requests that are well formed.
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "401", "404", "409", "410", "422", "429"]
                },
                "negative_data_rejection": {
                    "expected-statuses": ["400", "401", "404", "405", "413", "415", "422"]
                },
            },
        }
    ),
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[portal.RunningPortal]:
    """A portal with something in each list, so that the good answers are checked too."""
    file = tmp_path_factory.mktemp("contract") / "portal.sqlite"
    portal.seed(
        file,
        ACCOUNTS,
        [
            portal.PastRegistration(
                DELONG, "rose@example.org", RegistrationState.AWAITING_VERIFICATION,
                NOW - timedelta(hours=2), id=WAITING,
            ),
            portal.PastRegistration(
                FARMS, "farm@example.org", RegistrationState.VERIFIED, NOW - timedelta(days=2),
                last_sign_in=NOW, id=VERIFIED,
            ),
        ],
        [
            portal.PastAttempt(NOW, OBRIEN, f"O’Brien {n}", "pat@example.org", outcome)
            for n, outcome in enumerate(Outcome)
        ],
    )  # fmt: skip
    quick = replace(portal.PortalSettings(), resend_wait_seconds=0)
    with portal.running(file, quick) as running:
        with running.store.begin() as db:
            at = NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            db.execute(
                "INSERT INTO message (id, at, account_number, email, subject, text, answer)"
                " VALUES ('msg_1', ?, ?, 'rose@example.org', 'Bill', 'Why?', '')",
                (at, DELONG),
            )
            db.execute(
                "INSERT INTO service_report (id, at, account_number, kind, text, status)"
                " VALUES ('rep_1', ?, ?, 'outage', 'Dark', 'received')",
                (at, DELONG),
            )
        yield running


@contract.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_the_stand_in_keeps_to_the_contract(case: schemathesis.Case, live: portal.RunningPortal):
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        # Left to chance no account would ever exist.
        known = {"account": DELONG, "id": _known_id(case.path)}
        case.path_parameters = {
            name: known[name] if len(str(value)) % 2 else value
            for name, value in (case.path_parameters or {}).items()
        }
    case.call_and_validate(base_url=live.url, headers={"Authorization": f"Bearer {live.token}"})


def _known_id(path: str) -> str:
    if path.startswith("/v1/messages"):
        return "msg_1"
    return "rep_1" if path.startswith("/v1/service-reports") else WAITING


def test_the_stand_in_serves_what_is_written_and_nothing_else(live):
    written = {
        (method.upper(), "/".join("*" if "{" in part else part for part in path.split("/")))
        for path, calls in yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["paths"].items()
        for method in calls
    }
    app = portal.create_app(live.store, live.settings)
    served = {
        (method, "/".join("*" if "<" in part else part for part in rule.rule.split("/")))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == written
