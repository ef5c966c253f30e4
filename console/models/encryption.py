"""Whether a server is somewhere else, and how it then has to prove who it is."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final

from psycopg.pq import Conninfo
from sqlalchemy.engine import URL

from console.domain.errors import ConsoleError

_OWN_ROOTS: Final = Path.home() / ".postgresql" / "root.crt"
_ELSEWHERE: Final = frozenset({"service", "servicefile", "conninfo"})
"""Words of an address with which the server is named in another place."""


class NamesNoServer(ConsoleError):
    """An address leaves it to something else to name the server."""


def encrypted(url: URL) -> URL:
    """Answer a PostgreSQL address at which a server elsewhere must prove who it is.

    Whoever can answer in its place would be told every password and every member. What the
    address or the environment asks for, such as sslmode=disable, does not count. Raises
    NamesNoServer for an address from which it cannot be told where the server is.
    """
    if _ELSEWHERE & url.query.keys():
        raise NamesNoServer(
            "The address of the database names a service instead of a server. Name the server "
            "itself: postgresql://server/coop."
        )
    told = _told_outside()
    if _is_this_machine(url, told):
        return url
    # Encryption by Kerberos would come first, and then nobody asks for the certificate.
    query = {**url.query, "sslmode": "verify-full", "gssencmode": "disable"}
    if "sslrootcert" not in query and "sslrootcert" not in told and not _OWN_ROOTS.exists():
        query["sslrootcert"] = "system"
    return url.set(query=query)


def _told_outside() -> dict[str, str]:
    """Answer what PGHOST and its like, and the service that PGSERVICE names, add to an address."""
    return {
        option.keyword.decode(): option.val.decode()
        for option in Conninfo.get_defaults()
        if option.val
    }


def _is_this_machine(url: URL, told: dict[str, str]) -> bool:
    hosts = [*_named(url, "host"), *([url.host] if url.host else [])] or [told.get("host", "")]
    addresses = _named(url, "hostaddr") or [told.get("hostaddr", "")]
    return all(_is_local(part) for named in (*hosts, *addresses) for part in named.split(","))


def _named(url: URL, word: str) -> list[str]:
    asked = url.query.get(word, ())
    return [one for one in ((asked,) if isinstance(asked, str) else asked) if one]


def _is_local(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    if not name or name.startswith(("/", "@")) or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
