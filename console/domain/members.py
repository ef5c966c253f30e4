"""Members, who may act for them, and what a representative must know before speaking."""

from __future__ import annotations

from enum import StrEnum


class HolderRole(StrEnum):
    """How a person stands to an account beside the primary holder."""

    SECOND_HOLDER = "second_holder"
    AUTHORIZED = "authorized"
    POWER_OF_ATTORNEY = "power_of_attorney"

    @property
    def words(self) -> str:
        """Name the role as the screen does."""
        return self.value.replace("_", " ").capitalize()


class MayAct(StrEnum):
    """What somebody other than the primary holder may do."""

    EVERYTHING = "everything"
    PAY_AND_ASK = "pay_and_ask"
    NOTHING = "nothing"

    @property
    def words(self) -> str:
        """Say it as the screen does."""
        return {
            MayAct.EVERYTHING: "may do everything",
            MayAct.PAY_AND_ASK: "may pay and ask, not change",
            MayAct.NOTHING: "may not act",
        }[self]


class AlertKind(StrEnum):
    """Something that must be seen before anything is said or done."""

    MEDICAL_NECESSITY = "medical_necessity"
    DISCONNECT_PENDING = "disconnect_pending"
    NO_CHEQUES = "no_cheques"
    DECEASED = "deceased"
    BANKRUPTCY = "bankruptcy"
    LEGAL_CONTACT_ONLY = "legal_contact_only"
    DOG_ON_PREMISES = "dog_on_premises"
    FRAUD_WATCH = "fraud_watch"

    @property
    def words(self) -> str:
        """Name the alert as the screen does."""
        return {
            AlertKind.MEDICAL_NECESSITY: "Medical necessity",
            AlertKind.DISCONNECT_PENDING: "Disconnect pending",
            AlertKind.NO_CHEQUES: "No cheques",
            AlertKind.DECEASED: "Holder deceased",
            AlertKind.BANKRUPTCY: "Bankruptcy",
            AlertKind.LEGAL_CONTACT_ONLY: "Speak to the lawyer only",
            AlertKind.DOG_ON_PREMISES: "Dog on the premises",
            AlertKind.FRAUD_WATCH: "Fraud watch",
        }[self]

    @property
    def is_grave(self) -> bool:
        """Whether it stands first and in the strongest colour."""
        return self not in (AlertKind.NO_CHEQUES, AlertKind.DOG_ON_PREMISES)


class AccountStatus(StrEnum):
    """Whether an account is supplied."""

    ACTIVE = "active"
    DISCONNECTED = "disconnected"
    CLOSED = "closed"


def display_name(given_names: str, name: str) -> str:
    """Say a name as staff do: given names, then the last or business name on file."""
    return f"{given_names} {name}".strip()
