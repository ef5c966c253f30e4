"""Says why a payment was declined or returned, as a representative would say it to the member."""

from __future__ import annotations

from typing import Final

_ASK_BANK: Final = "The member can call the number on the back of the card, or use another one"
_CARD: Final = {
    "insufficient_funds": "insufficient funds",
    "expired_card": "it has expired",
    "incorrect_cvc": "the security code is not right",
    "invalid_cvc": "the security code is not right",
    "incorrect_number": "the card number is not right",
    "invalid_number": "the card number is not right",
    "incorrect_zip": "the ZIP code is not the one the bank has",
    "invalid_expiry_month": "the expiry date is not right",
    "invalid_expiry_year": "the expiry date is not right",
    "processing_error": "the card network could not process it. It may work in a few minutes",
    "try_again_later": "the bank could not answer. It may work in a few minutes",
    "reenter_transaction": "the bank could not answer. It may work in a few minutes",
    "issuer_not_available": "the bank could not be reached. It may work in a few minutes",
    "card_velocity_exceeded": "it was used too often or for too much today",
    "withdrawal_count_limit_exceeded": "it was used too often or for too much today",
    "card_not_supported": "this kind of card does not take such a payment",
    "currency_not_supported": "this kind of card does not take such a payment",
    "authentication_required": "the bank wants the cardholder to confirm it. Send a pay link",
    "approve_with_id": "the bank could not approve it. It may work in a few minutes",
    "call_issuer": f"the bank gave no reason. {_ASK_BANK}",
    "testmode_decline": "it is a test card",
    "test_mode_live_card": "a real card does not work in training",
    # What a thief must not learn is not said: these read like any decline without a reason.
    "lost_card": f"the bank gave no reason. {_ASK_BANK}",
    "stolen_card": f"the bank gave no reason. {_ASK_BANK}",
    "pickup_card": f"the bank gave no reason. {_ASK_BANK}",
    "fraudulent": f"the bank gave no reason. {_ASK_BANK}",
    "merchant_blacklist": f"the bank gave no reason. {_ASK_BANK}",
    "generic_decline": f"the bank gave no reason. {_ASK_BANK}",
    "do_not_honor": f"the bank gave no reason. {_ASK_BANK}",
    "card_declined": f"the bank gave no reason. {_ASK_BANK}",
}
_BANK: Final = {
    "insufficient_funds": "insufficient funds",
    "account_closed": "the account is closed",
    "bank_account_closed": "the account is closed",
    "no_account": "the bank finds no such account",
    "debit_not_authorized": "the member told the bank that it was not authorized",
    "bank_account_restricted": "the account does not take debits",
    "account_frozen": "the account is frozen",
    "could_not_process": "the bank could not process it",
    "bank_ownership_changed": "the bank has changed hands and must be asked again",
    "invalid_account_number": "the account number is not right",
    "invalid_currency": "the account is not kept in dollars",
}
CANCELED: Final = "canceled"


def decline_sentence(code: str, *, by_bank: bool = False) -> str:
    """Say why, in a sentence that can be read out; an unknown code is a decline without a reason.

    >>> decline_sentence("insufficient_funds")
    'The card was declined: insufficient funds.'
    """
    if code == CANCELED:
        return "The payment was called off at the gateway. No money moved."
    if by_bank:
        return f"The bank returned the debit: {_BANK.get(code, 'it gave no reason')}."
    return f"The card was declined: {_CARD.get(code, _CARD['generic_decline'])}."
