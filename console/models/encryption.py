"""Whether a server is somewhere else, and how it then has to prove who it is."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

_OWN_ROOTS: Final = Path.home() / ".postgresql" / "root.crt"


def encrypted(url: URL) -> URL:
    """Answer a PostgreSQL address at which a server elsewhere must prove who it is.

    Whoever can answer in its place would be told every password and every member. What the
    address itself asks for, such as sslmode=disable, does not count.
    """
    if _is_this_machine(url):
        return url
    query = {**url.query, "sslmode": "verify-full"}
    if "sslrootcert" not in query and not _OWN_ROOTS.exists():
        query["sslrootcert"] = "system"
    return url.set(query=query)


def _is_this_machine(url: URL) -> bool:
    hosts: list[str] = []
    for word in ("host", "hostaddr"):
        asked = url.query.get(word, ())
        hosts += [asked] if isinstance(asked, str) else asked
    if url.host:
        hosts.append(url.host)
    return all(_is_local(part) for host in hosts for part in host.split(","))


def _is_local(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    if not name or name.startswith(("/", "@")) or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
