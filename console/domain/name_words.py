"""The words that names are made of besides names: short forms, tails, titles and particles."""

from __future__ import annotations

from typing import Final

_SHORT_FORMS: Final = """
and | saint st | sainte ste | mount mt | mountain mtn | fort ft | brothers bros | association
assn assoc assocn | associates assocs | company co | incorporated inc | corporation corp |
limited ltd | manufacturing mfg | department dept | service svc | services svcs | international
intl | national natl | center ctr centre cntr | avenue ave | road rd | highway hwy | university
univ | government govt | township twp | building bldg | construction constr | equipment equip |
management mgmt | enterprises ents | enterprise ent | insurance ins | properties props |
property prop | district dist | county cnty | cooperative coop | electric elec | heights hts |
church ch | school sch | restaurant rest | apartments apts | apartment apt | north n | south s
so | east e | west w | william wm | charles chas | george geo | number no | james jas | joseph
jos | thomas thos | robert robt | first 1st | second 2nd | third 3rd | technologies techs |
group grp | hospital hosp | industries inds | products prods | distributing distrib | estate est
"""
SHORT_WORDS: Final = {
    form: entry.split()[0] for entry in _SHORT_FORMS.split("|") for form in entry.split()
}
"""Each short or long form of a word, and the long form that stands for both."""

SUFFIXES: Final = {
    "sr": 1, "senior": 1, "i": 1, "jr": 2, "junior": 2, "ii": 2, "2nd": 2, "iii": 3, "3rd": 3,
    "iv": 4, "4th": 4, "v": 5, "esq": 0, "md": 0, "dds": 0, "dvm": 0, "phd": 0, "cpa": 0, "rn": 0,
}  # fmt: skip
"""Each suffix of a person, and the generation it tells, if any."""

LEGAL_FORMS: Final = frozenset({
    "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "lc", "limited",
    "llc", "lllp", "llp", "lp", "ltd", "na", "pa", "pc", "plc", "pllc",
})  # fmt: skip
LEGAL_FORMS_IN_LETTERS: Final = frozenset(
    tuple(form) for form in ("llc", "inc", "lp", "llp", "pllc", "pc", "pa", "lc", "na")
)
ARTICLES: Final = frozenset({"the"})
COUPLE_WORDS: Final = frozenset({"and", "or", "und"})

_TITLES: Final = "capt col dr hon lt maj miss mr mrs ms prof rev sgt sir"
TITLES: Final = frozenset(_TITLES.split())

_PARTICLES: Final = """
abu af al ap av ben bin d da das de del dela della den der des di do dos du el fitz l la las le
les lo los mac mc o saint san santa st ste ten ter van vanden vander von zu zur
"""
PARTICLES: Final = frozenset(_PARTICLES.split())
"""Little words that belong to the last name after them."""
PARTICLES_GIVEN_TOO: Final = frozenset({"al", "ben", "della", "les", "mac"})
"""Particles that are more often somebody's given name."""

GLUED_PARTICLES: Final = (
    "vander", "della", "dela", "delo", "fitz", "von", "van", "del", "de", "la", "le", "di", "da",
    "du", "st",
)  # fmt: skip
"""Particles that are often written together with the name."""

_BUSINESS_WORDS: Final = """
academy agency american apartments assn associates association auto bakery bank bar board bros
brothers cafe center chapel chicago church city cleaners clinic club co company construction
consulting cooling corp county dairy dental design district drilling east electric elevator
energy enterprise enterprises equipment estate farm farming farms feed fellowship food foods
foundation gas grain grill group hardware heating holdings hospital hotel illinois inc
industries inn institute insurance investments liquor llc lodge logistics ltd lumber management
market media ministries motel motors national north oil partners pharmacy pizza plumbing post
printing properties property ranch realty rentals repair restaurant salon school service
services shop society solutions sons south storage store studio supply systems temple tire town
township transport trucking trust village west
"""
BUSINESS_WORDS: Final = frozenset(_BUSINESS_WORDS.split())
"""Words that show a business, and that alone tell one business from no other."""
