"""`find`: look members up from a shell, one search or one a line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that looks members up."""
    parser = commands.add_parser("find", help="look up a member by anything a caller might say")
    parser.add_argument("text", metavar="TEXT", help="what to look for; “-” reads one a line")
    parser.add_argument("--database", metavar="URL", help="the training co-op without it")
    parser.add_argument("--json", action="store_true", help="one JSON object for each search")
    parser.set_defaults(run=_find)


def _find(asked: argparse.Namespace) -> int:
    from console.cli.database import opened
    from console.services import search

    found_any = False
    with opened(asked.database) as records:
        for query in _queries(asked.text):
            answer = search.find_in(records, query)
            found_any = found_any or bool(answer.hits)
            if asked.json or asked.text == "-":
                hits = [
                    {
                        "account": hit.account_number,
                        "member": hit.member_number,
                        "name": hit.name,
                        "why": hit.why,
                    }
                    for hit in answer.hits
                ]
                said = {"query": query, "milliseconds": answer.milliseconds, "hits": hits}
                print(json.dumps(said, ensure_ascii=True), flush=True)
            else:
                for hit in answer.hits:
                    where = hit.service_address or "no service address"
                    print(f"{hit.name} · account {hit.printed_number} · {where} · {hit.why}")
                if answer.advice:
                    print(answer.advice, file=sys.stderr)
    return 0 if found_any or asked.json or asked.text == "-" else 1


def _queries(text: str) -> Iterable[str]:
    if text != "-":
        return [text]
    # Anything at all may come down a pipe, also bytes that are no text.
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    return (line.rstrip("\r\n") for line in sys.stdin)
