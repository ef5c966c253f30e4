"""The verify-account e-mail: how it fares, how long its link lives, and what ails an address."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rapidfuzz.distance import OSA

from console.domain.errors import ConsoleError


class BadEmail(ConsoleError):
    """What was typed cannot be an e-mail address."""


class DeliveryStatus(StrEnum):
    """How far one e-mail got."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"

    @property
    def words(self) -> str:
        """Say it as staff would."""
        return _STATUS_WORDS[self]


_STATUS_WORDS: Final = {
    DeliveryStatus.QUEUED: "Waiting to be sent",
    DeliveryStatus.SENT: "Sent; the other side has not answered yet",
    DeliveryStatus.DELIVERED: "Delivered to the mailbox",
    DeliveryStatus.BOUNCED: "Came back",
    DeliveryStatus.OPENED: "Opened",
}


class LinkState(StrEnum):
    """Whether the link in the last e-mail can still be used."""

    NONE = "none"
    ALIVE = "alive"
    EXPIRED = "expired"


def link_state(expires_at: datetime | None, now: datetime) -> LinkState:
    """Tell whether the link can still be used."""
    if expires_at is None:
        return LinkState.NONE
    return LinkState.ALIVE if now < expires_at else LinkState.EXPIRED


def may_resend(last_sent_at: datetime | None, now: datetime, throttle: timedelta) -> timedelta:
    """Return how long the impatient must still wait before another e-mail; zero means now."""
    if last_sent_at is None:
        return timedelta(0)
    # A clock that runs behind the portal's must not make anybody wait longer than the rule.
    return max(timedelta(0), min(throttle, last_sent_at + throttle - now))


_BOUNCES: Final = (
    (
        r"5\.1\.1|5\.1\.6|no such user|user unknown|unknown user|does not exist here|"
        r"mailbox (?:not found|unavailable|unknown)|no mailbox|recipient (?:not found|rejected)|"
        r"invalid recipient|account (?:that you tried to reach )?does not exist|address rejected",
        "There is no mailbox with this name. Ask for the address letter by letter.",
    ),
    (
        r"[45]\.2\.2|over ?quota|mailbox (?:is )?full|quota exceeded|insufficient storage|\b552\b",
        "The mailbox is full. Ask the member to make room or to give another address.",
    ),
    (
        r"5\.2\.1|disabled|inactive|suspended|deactivated",
        "The mailbox has been switched off. Ask for another address.",
    ),
    (
        r"5\.1\.2|5\.4\.4|nxdomain|domain (?:name )?(?:not found|does not exist)|host unknown|"
        r"unknown host|unrouteable|no such domain|name or service not known|host not found|"
        r"no mx|dns",
        "The part after the @ does not exist. Ask for the address letter by letter.",
    ),
    (
        r"5\.7\.|spam|blocked|blacklist|block ?list|denied|policy|reputation|not authori[sz]ed|"
        r"\b554\b",
        "The mail service of the member refuses our e-mail. Ask the member to look in the spam "
        "folder and to allow our address, or to give another one.",
    ),
    (
        r"5\.3\.4|too (?:large|big)|message size",
        "The mail service found the e-mail too large. Tell your supervisor.",
    ),
    (
        r"4\.[0-9]\.[0-9]|time[d]? ?out|try again|temporar|greylist|graylist|deferred|"
        r"connection (?:refused|reset)|\b4[25][0-9]\b",
        "The mail service did not take the e-mail for now. Send it again later.",
    ),
    (
        r"\b55[013]\b|5\.[0-9]\.[0-9]",
        "The mail service refused the address. Ask for it letter by letter.",
    ),
)
_BOUNCE_PATTERNS: Final = tuple((re.compile(p, re.IGNORECASE), words) for p, words in _BOUNCES)


def bounce_reason_in_words(reason: str) -> str:
    """Say why an e-mail came back, from what the other mail server replied."""
    reply = reason[:2000]
    for pattern, words in _BOUNCE_PATTERNS:
        if pattern.search(reply):
            return words
    if reply.strip():
        return "The e-mail came back and the reason is not a usual one. Ask for another address."
    return "The e-mail came back without a reason. Ask for the address letter by letter."


_LONGEST_ADDRESS: Final = 254
_LOCAL_PART: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def check_email(address: str) -> str:
    """Return the address as it will be used, with the part after the @ in small letters."""
    tidy = _tidy(address)
    if not tidy:
        raise BadEmail("There is no e-mail address. Type one, such as name@example.com.")
    if len(tidy) > _LONGEST_ADDRESS:
        raise BadEmail("The e-mail address is too long. Ask for it letter by letter.")
    if tidy.count("@") == 0:
        raise BadEmail("The e-mail address has no @. Ask what comes before and after it.")
    if tidy.count("@") > 1:
        raise BadEmail("The e-mail address has more than one @. Ask for it letter by letter.")
    local, _, domain = tidy.partition("@")
    _check_local_part(local)
    _check_domain(domain)
    return f"{local}@{domain.lower()}"


def _tidy(address: str) -> str:
    # Addresses are pasted with invisible characters, "mailto:" and the brackets of a mail program.
    seen = "".join(
        c
        for c in address[:1000]
        if unicodedata.category(c) not in {"Cf", "Cc", "Cs", "Zs"} or c == " "
    )
    return seen.strip().removeprefix("mailto:").removeprefix("<").removesuffix(">").strip()


def _check_local_part(local: str) -> None:
    if not local:
        raise BadEmail("Nothing comes before the @. Ask for the name of the mailbox.")
    if not local.isascii():
        raise BadEmail(
            "The e-mail address has a letter that e-mail does not take before the @, such as one "
            "with an accent. Ask for it letter by letter."
        )
    if " " in local:
        raise BadEmail("The e-mail address has a space in it. Take the space out.")
    if len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        raise BadEmail("The part before the @ is not right. Ask for it letter by letter.")


def _check_domain(domain: str) -> None:
    if not domain:
        raise BadEmail("Nothing comes after the @. Ask which mail service it is.")
    if " " in domain:
        raise BadEmail("The e-mail address has a space in it. Take the space out.")
    labels = domain.split(".")
    if len(labels) < 2:
        raise BadEmail("The part after the @ has no ending such as .com. Ask for it.")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise BadEmail("The part after the @ is not right. Ask for it letter by letter.")


_SERVICES: Final = (
    "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "aol.com", "icloud.com", "msn.com",
    "comcast.net", "att.net", "verizon.net", "sbcglobal.net", "bellsouth.net", "charter.net",
    "cox.net", "live.com", "ymail.com", "me.com", "mac.com", "windstream.net", "frontier.com",
    "centurylink.net", "earthlink.net", "protonmail.com", "embarqmail.com", "mail.com", "q.com",
    "juno.com", "rocketmail.com", "proton.me", "gmx.com", "googlemail.com", "fastmail.com",
    "spectrum.net", "roadrunner.com", "optonline.net", "suddenlink.net", "mediacombb.net",
)  # fmt: skip
_SURE: Final = frozenset(_SERVICES)
_ENDINGS: Final = {
    "con": "com", "cmo": "com", "ocm": "com", "coom": "com", "comm": "com", "vom": "com",
    "xom": "com", "cpm": "com", "clm": "com", "om": "com", "cm": "com", "c": "com", "co": "com",
    "comn": "com", "como": "com", "conm": "com", "nte": "net", "ne": "net", "ner": "net",
    "nett": "net", "met": "net", "bet": "net", "ogr": "org", "orgg": "org", "prg": "org",
    "orq": "org", "or": "org", "gpv": "gov", "ed": "edu", "eud": "edu",
}  # fmt: skip
_REAL_ENDINGS: Final = frozenset({"co", "cm", "om", "ne"})
"""Endings of whole countries: a slip only where the rest is a mail service everybody knows."""


def suggest_email(address: str) -> str | None:
    """Offer the address that was probably meant, or nothing when there is no likely slip."""
    tidy = _tidy(address)
    if not tidy or len(tidy) > _LONGEST_ADDRESS:
        return None
    better = _mend(tidy)
    if better is None or better.lower() == tidy.lower():
        return None
    try:
        return check_email(better)
    except BadEmail:
        return None


def _mend(tidy: str) -> str | None:
    mended = re.sub(r"\s+", "", tidy).replace(",", ".").rstrip(".;:")
    mended = re.sub(r"\.{2,}", ".", mended)
    mended = re.sub(r"@{2,}", "@", mended)
    mended = re.sub(r"\(at\)|\[at\]", "@", mended, flags=re.IGNORECASE)
    mended = (
        re.sub(r"@?www\.(?=[^@]*$)", "@", mended, flags=re.IGNORECASE) if "@" in mended else mended
    )
    if "@" not in mended:
        return _with_at(mended)
    local, _, domain = mended.rpartition("@")
    if "@" in local:
        return None
    return f"{local.strip('.')}@{_mend_domain(domain.lower().strip('.'))}"


def _with_at(text: str) -> str | None:
    low = text.lower()
    for service in sorted(_SERVICES, key=len, reverse=True):
        for joint in ("2", "#", "!", ".", ""):
            ending = joint + service
            # Short services such as me.com end many other words by chance.
            if low.endswith(ending) and len(low) > len(ending) and len(service) > 6:
                return f"{text[: -len(ending)]}@{service}"
    return None


def _mend_domain(domain: str) -> str:
    if domain in _SURE:
        return domain
    if domain.removesuffix(".com") + ".net" in _SURE:
        return domain.removesuffix(".com") + ".net"  # the company's own staff are not our members
    if "." not in domain:
        for service in _SERVICES:
            name, _, ending = service.partition(".")
            if domain in {name, name + ending}:
                return service
    name, _, ending = domain.rpartition(".")
    if ending in _ENDINGS:
        fixed = f"{name}.{_ENDINGS[ending]}"
        near = _near_service(fixed)
        if near is not None:
            return near
        if ending not in _REAL_ENDINGS and len(ending) > 1:
            return fixed
    return _near_service(domain) or domain


def _near_service(domain: str) -> str | None:
    if domain in _SURE:
        return domain
    if len(domain) < 7:
        return None  # q.com and me.com are one letter from too much
    name, _, ending = domain.rpartition(".")
    best: tuple[int, str] | None = None
    for service in _SERVICES:
        service_name, _, service_ending = service.rpartition(".")
        allowed = 2 if len(service_name) >= 6 else 1 if len(service_name) >= 4 else 0
        apart = OSA.distance(name, service_name)
        if name != service_name and (name[:1] != service_name[:1] and apart > 1):
            continue
        if apart > allowed or (apart and name in _OTHER_DOMAINS):
            continue
        if ending != service_ending and not (
            apart == 0 and OSA.distance(ending, service_ending) <= 1 and ending not in _TRUE_ENDINGS
        ):
            continue
        if best is None or apart < best[0]:
            best = (apart, service)
    return best[1] if best else None


_TRUE_ENDINGS: Final = frozenset(
    {"com", "net", "org", "edu", "gov", "us", "ca", "mx", "uk", "coop", "info", "biz", "me"}
)
_OTHER_DOMAINS: Final = frozenset(
    {"email", "gmx", "ymail", "mail", "fmail", "hmail", "olive", "lives"}
)
"""Real mail domains that only look like slips of better known ones."""
