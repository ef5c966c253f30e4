"""The portal's own rules; where the console explains them, both must agree."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.domain.names import MatchRule as ConsoleRule
from console.domain.names import accepts
from console.sandbox.rules import MatchRule, numerals, password_faults, same_name


@pytest.mark.parametrize(
    ("typed", "filed", "exact", "ignore_case", "ignore_spaces"),
    [
        ("DeLong", "DeLong", True, True, True),
        ("  DeLong ", "DeLong", True, True, True),
        ("DeLong", "DeLong ", True, True, True),
        ("DELONG", "DeLong", False, True, True),
        ("De Long", "DeLong", False, False, True),
        ("de long", "De  Long", False, False, True),
        ("De\u00a0Long", "De Long", False, False, False),
        ("DeLong\u00a0", "DeLong", False, False, False),
        ("\tDeLong", "DeLong", False, False, False),
        ("OBrien", "O'Brien", False, False, False),
        ("O’Brien", "O'Brien", False, False, False),
        ("Nunez", "Núñez", False, False, False),
        ("NÚÑEZ", "Núñez", False, True, True),
        ("Smith Jr", "Smith", False, False, False),
        ("", "DeLong", False, False, False),
        ("", "", False, False, False),
        ("  ", " ", False, False, False),
    ],
)
def test_names_match_letter_for_letter(typed, filed, exact, ignore_case, ignore_spaces):
    found = [same_name(typed, filed, rule) for rule in MatchRule]
    assert found == [exact, ignore_case, ignore_spaces]


NAMES = st.text(st.sampled_from("aAsSßiIıİéÉοΟσΣς '’-.\u00a0\u200b\t"), max_size=4)


@example("Groß", "GROSS", MatchRule.IGNORE_CASE)
@example("ΟΔΟΣ", "οδοσ", MatchRule.IGNORE_CASE)
@given(NAMES.filter(lambda name: name.strip(" ")), NAMES, st.sampled_from(list(MatchRule)))
def test_the_console_says_what_the_portal_does(filed, typed, rule):
    """Two hands wrote the two comparisons; a slip of either shows here."""
    assert same_name(typed, filed, rule) == accepts(typed, filed, ConsoleRule(rule.value))


@pytest.mark.parametrize(
    ("typed", "plain", "with_point"),
    [
        ("1023401", "1023401", "1023401"),
        (" 1023401 ", "1023401", "1023401"),
        ("1023-401", "1023401", "1023401"),
        ("10 23 401", "1023401", "1023401"),
        ("10234.01", None, "1023401"),
        ("A1023401", None, None),
        ("１０２３４０１", None, None),
        ("1023401\n", None, None),
        ("", None, None),
        ("-", None, None),
    ],
)
def test_account_numbers_are_numerals(typed, plain, with_point):
    assert numerals(typed, point_allowed=False) == plain
    assert numerals(typed, point_allowed=True) == with_point


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("Secret1!", 0), ("Abcdefghijklm1!", 0), ("Secre1!", 1), ("Abcdefghijklmn1!", 1),
        ("secret1!", 1), ("Secrets!", 1), ("Secret12", 1), ("Secret 1!", 1), ("", 4),
        ("Sécret1!", 1),
    ],
)  # fmt: skip
def test_a_password_must_have_what_the_rule_says(password, faults):
    assert len(password_faults(password)) == faults
