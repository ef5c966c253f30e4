"""A whole day of payments at once, in our tables and in the training gateway's store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, text

from console.domain import times
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay
from console.models.base import unaudited
from console.models.payments import Payment, PaymentShare
from console.sandbox.gateway import RunningGateway
from console.sandbox.gateway_ledger import Ledger
from tests.payments.office import NUMBERS, PayOffice

_ALL_DAY = timedelta(hours=23)


def fill(office: PayOffice, till: RunningGateway, many: int, day: date) -> list[str]:
    """Put a day of charged payments on both sides, by whole tables; answer our references."""
    begin = times.midnight(day, office.desk.settings.zone) + timedelta(minutes=30)
    ids = [str(uuid4()) for _ in range(many)]
    at = [begin + _ALL_DAY * place / many for place in range(many)]
    amounts = [Money(1000 + place % 20_000) for place in range(many)]
    with till.store.begin() as db:
        books = Ledger(db, at[0])
        method = books.method("pm_card_visa")
        intent = books.new_intent(1000, "usd", metadata={"payment": ids[0]})
        books.confirm(intent, method, mandated=False, off_session=True)
        charge = books.find("charge", intent.body["latest_charge"])
        db.execute("DELETE FROM object WHERE id IN (?, ?)", (intent.id, charge.id))
        rows = []
        for place, payment_id in enumerate(ids):
            stamp, cents = int(at[place].timestamp()), amounts[place].cents
            names = {"id": f"ch_day{place}", "payment_intent": f"pi_day{place}"}
            body = charge.body | names | {
                "amount": cents, "amount_captured": cents, "created": stamp,
                "metadata": {"payment": payment_id},
            }  # fmt: skip
            rows.append((names["id"], "charge", stamp, names["payment_intent"], json.dumps(body)))
        db.executemany(
            "INSERT INTO object (id, kind, created, parent, trait, body)"
            " VALUES (?, ?, ?, ?, '', ?)",
            rows,
        )
    if office.records.engine.dialect.name == "sqlite":
        _charge_in_turn(office, ids, at, amounts)
    else:
        _charge_at_once(office, ids, at, amounts)
    return ids


def _rows(
    office: PayOffice, ids: Sequence[str], at: Sequence[datetime], amounts: Sequence[Money]
) -> list[dict[str, Any]]:
    zone = office.desk.settings.zone
    return [
        {
            "id": payment_id, "member_id": office.member_id, "way": PaymentWay.STORED,
            "origin": Origin.CALL, "state": PaymentState.CHARGED, "amount": amounts[place],
            "asked_by": "pat", "asked_at": at[place], "next_try_at": at[place],
            "gateway_id": f"pi_day{place}", "charge_id": f"ch_day{place}",
            "finished_at": at[place], "counts_on": times.day_of(at[place], zone),
        }
        for place, payment_id in enumerate(ids)
    ]  # fmt: skip


def _charge_at_once(
    office: PayOffice, ids: Sequence[str], at: Sequence[datetime], amounts: Sequence[Money]
) -> None:
    """Fill the tables as a copy that is brought back does: with the rules asleep."""
    with office.records.begin() as db:
        db.execute(text("SET LOCAL session_replication_role = replica"))
        db.execute(insert(Payment), _rows(office, ids, at, amounts))
        shares = [
            {"payment_id": one, "account_number": NUMBERS[0], "amount": amount, "is_open": False}
            for one, amount in zip(ids, amounts, strict=True)
        ]
        db.execute(insert(PaymentShare), shares)


def _charge_in_turn(
    office: PayOffice, ids: Sequence[str], at: Sequence[datetime], amounts: Sequence[Money]
) -> None:
    """Let each payment go its whole way: an account has one open payment at a time."""
    rows = _rows(office, ids, at, amounts)
    with office.records.begin() as db:
        connection = db.connection()
        unaudited(connection)
        db.execute(insert(Payment), [row | {"state": PaymentState.INTENT} for row in rows])
        for row in rows:
            connection.exec_driver_sql(
                "INSERT INTO payment_share (payment_id, account_number, amount, is_open)"
                " VALUES (?, ?, ?, 1)",
                (row["id"], NUMBERS[0], row["amount"].cents),
            )
            for state in ("sending", "charged"):
                connection.exec_driver_sql(
                    "UPDATE payment SET state = ? WHERE id = ?", (state, row["id"])
                )
