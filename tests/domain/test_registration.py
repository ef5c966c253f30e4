from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.names import MatchRule
from console.domain.registration import (
    BadName,
    CaseKind,
    Outcome,
    Proof,
    RegistrationState,
    Remedy,
    clean_name,
    explain_refusal,
    needs_supervisor,
    place,
)
from console.domain.verification import DeliveryStatus

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def test_the_whole_sentence_is_read_out() -> None:
    found = explain_refusal("10234.01", "De Long", "10234.01", "DeLong")
    assert found.say == (
        "Type it as one word: D-e-L-o-n-g, capital D, capital L, no space. "
        "Account number 1-0-2-3-4-0-1, no point."
    )
    assert found.reasons == (
        "The file has no space: DeLong is one word.",
        "The account number was typed with a point, as the old bills print it. The portal takes "
        "numerals only.",
    )
    assert found.remedies == (Remedy.READ_OUT, Remedy.CORRECT_FILE)
    assert not found.would_pass


def test_the_point_alone_can_be_the_reason() -> None:
    found = explain_refusal("10234.01", "delong", "1023401", "DeLong")
    assert found.name.accepted
    assert not found.would_pass
    assert found.remedies == (Remedy.READ_OUT,)
    forgiving = explain_refusal("10234.01", "delong", "1023401", "DeLong", point_refused=False)
    assert forgiving.would_pass
    assert forgiving.remedies == ()


def test_a_stranger_is_told_neither_name_nor_number() -> None:
    found = explain_refusal("1023401", "Evans", "1023401", "Deblase", ["Smith", "Evans"])
    assert "Deblase" not in found.say
    assert "1-0-2" not in found.say
    assert found.needs_supervisor


def test_a_couple_on_file_is_better_corrected() -> None:
    found = explain_refusal("1023401", "Smith", "1023401", "John & Mary Smith")
    assert found.remedies[0] is Remedy.CORRECT_FILE


def test_the_rule_of_the_portal_decides() -> None:
    lenient = explain_refusal("1", "de long", "1", "DeLong", rule=MatchRule.IGNORE_SPACES)
    assert lenient.would_pass


@pytest.mark.parametrize(
    ("before", "after", "needed"),
    [
        ("DeLong", "De Long", False),
        ("John & Mary Smith", "Smith", False),
        ("Renal Treatment Cent", "Renal Treatment Centers", False),
        ("Jonse", "Jones", False),
        ("Smith", "Smith-Jones", False),
        ("Smith", "Smith Farms LLC", True),
        ("Smith Farms", "Smith Farms LLC", False),
        ("Smith", "Jones", True),
        ("John Smith", "Mary Smith", True),
        ("Smith Sr", "Smith Jr", True),
        ("Smith", "", True),
        ("", "Smith", False),
    ],
)
def test_another_person_needs_a_supervisor(before: str, after: str, needed: bool) -> None:
    assert needs_supervisor(before, after) is needed


def test_a_name_is_tidied() -> None:
    assert clean_name("  De   Long\n") == "De Long"
    assert clean_name("Mar\u200btin\xa0Jr.") == "Martin Jr."
    assert clean_name("Pen\u0303a") == "Peña"
    assert clean_name("4104") == "4104"
    assert clean_name("7-Eleven #2") == "7-Eleven #2"


@pytest.mark.parametrize(
    "bad", ["", "  ", "\u200b", "a\0b", "a\x1bb", "a\u202eb", "\ud800", "x" * 121, "1023401", "--"]
)
def test_what_cannot_be_a_name_is_refused(bad: str) -> None:
    with pytest.raises(BadName):
        clean_name(bad)


@given(st.text(st.characters(codec=None), max_size=200))
def test_a_clean_name_is_clean(text: str) -> None:
    try:
        name = clean_name(text)
    except BadName:
        return
    assert clean_name(name) == name
    assert 0 < len(name) <= 120
    name.encode()


@settings(deadline=None)
@given(*[st.text(st.characters(codec=None), max_size=30)] * 4)
def test_any_refusal_is_explained(account: str, name: str, number: str, on_file: str) -> None:
    found = explain_refusal(account, name, number, on_file, [name[::-1]])
    assert found.say
    assert found.would_pass == (found.remedies == ())


@pytest.mark.parametrize(
    ("state", "outcome", "delivery", "expires", "kind"),
    [
        ("none", "name_mismatch", None, None, "refused"),
        ("none", "account_not_found", None, None, "refused"),
        ("none", "registered", None, None, "waiting"),
        ("none", "locked", None, None, "locked"),
        ("none", None, None, None, "solved"),
        ("awaiting_verification", "registered", "delivered", LATER, "waiting"),
        ("awaiting_verification", "registered", "bounced", LATER, "bounced"),
        ("awaiting_verification", "registered", "delivered", NOW, "expired"),
        ("awaiting_verification", "name_mismatch", "bounced", NOW, "expired"),
        ("locked", "registered", "delivered", LATER, "locked"),
        ("verified", "name_mismatch", "bounced", NOW, "solved"),
    ],
)
def test_place_in_the_worklist(
    state: str, outcome: str | None, delivery: str | None, expires: datetime | None, kind: str
) -> None:
    found = place(
        RegistrationState(state),
        Outcome(outcome) if outcome else None,
        DeliveryStatus(delivery) if delivery else None,
        expires,
        NOW,
    )
    assert found is CaseKind(kind)


def test_choices_have_words() -> None:
    assert all(proof.words for proof in Proof)
    assert all(remedy.words for remedy in Remedy)
