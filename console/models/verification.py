"""Verify-account e-mails: each one the portal sent and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from console.domain.verification import DeliveryStatus
from console.models.base import Choice, Instant, Record


class Delivery(Record):
    """What the portal reported of one verify-account e-mail at one moment."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("registration_id", "at", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    email: Mapped[str] = mapped_column(String(254), default="")
    status: Mapped[DeliveryStatus] = mapped_column(Choice(DeliveryStatus, 12))
    reason: Mapped[str] = mapped_column(String(300), default="")


def deliveries_of(db: Session, registration_ids: Sequence[int], most: int) -> Sequence[Delivery]:
    """What became of the e-mails of these registrations, newest first."""
    return db.scalars(
        select(Delivery)
        .where(Delivery.registration_id.in_(registration_ids))
        .order_by(Delivery.at.desc(), Delivery.id.desc())
        .limit(most)
    ).all()


def last_delivery_of(db: Session, registration_id: int) -> Delivery | None:
    """What became of the newest e-mail of a registration."""
    return db.scalar(
        select(Delivery)
        .where(Delivery.registration_id == registration_id)
        .order_by(Delivery.at.desc(), Delivery.id.desc())
        .limit(1)
    )


def last_deliveries_of(db: Session, registration_ids: Sequence[int]) -> dict[int, Delivery]:
    """What became of the newest e-mail of each of these registrations."""
    place = (
        func.row_number()
        .over(
            partition_by=Delivery.registration_id,
            order_by=(Delivery.at.desc(), Delivery.id.desc()),
        )
        .label("place")
    )
    ranked = (
        select(Delivery, place).where(Delivery.registration_id.in_(registration_ids)).subquery()
    )
    newest = aliased(Delivery, ranked)
    found = db.scalars(select(newest).where(ranked.c.place == 1))
    return {delivery.registration_id: delivery for delivery in found}
