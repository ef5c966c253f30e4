"""The explain-names command: what differs between typed names and names on file."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator

from console.domain.errors import ConsoleError
from console.domain.names import Explanation, MatchRule, explain

_COLUMNS = ("typed", "on_file")


class BadTable(ConsoleError):
    """The file of name pairs cannot be read."""


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "explain-names",
        help="say what differs between a typed name and the name on file",
        description="Say what differs between a typed name and the name on file, and what to "
        "read out. With one file of tab-separated pairs (columns typed, on_file and perhaps "
        "second_holder), explain each pair.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--rule",
        choices=[rule.value for rule in MatchRule],
        default=MatchRule.IGNORE_CASE.value,
        help="how strictly the portal compares (default: %(default)s)",
    )
    parser.add_argument("--second-holder", default="", metavar="NAME")
    parser.add_argument("--cut-at", type=int, default=20, metavar="N", help=argparse.SUPPRESS)
    parser.add_argument("typed", metavar="TYPED", help="the name as typed, or a file of pairs")
    parser.add_argument("on_file", metavar="ON_FILE", nargs="?", help="the name on file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain one pair, or every pair of a file."""
    rule = MatchRule(args.rule)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names are more than the code page of a Windows console; half a letter is not a crash.
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    try:
        if args.on_file is None:
            pairs = _pairs(args.typed)
        else:
            pairs = iter([(args.typed, args.on_file, args.second_holder)])
        for typed, on_file, holder in pairs:
            found = explain(typed, on_file, second_holder=holder, rule=rule, cut_at=args.cut_at)
            print(_as_json(found) if args.json else _as_sentences(found))
    except BadTable as problem:
        print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read us has seen enough; keep the interpreter quiet about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _pairs(path: str) -> Iterator[tuple[str, str, str]]:
    try:
        # newline="\n": a name may hide a carriage return, which must reach the comparison.
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as table:
            header = table.readline().rstrip("\r\n").split("\t")
            missing = [column for column in _COLUMNS if column not in header]
            if missing:
                raise BadTable(
                    f"The first line of {path} does not name the column {missing[0]}. It must name "
                    "the columns typed and on_file, with tabs between them."
                )
            dos = _has_windows_lines(path)
            for number, line in enumerate(table, start=2):
                text = line.removesuffix("\n")
                fields = (text.removesuffix("\r") if dos else text).split("\t")
                if fields == [""]:
                    continue
                yield _fields(header, fields, path, number)
    except OSError as problem:
        raise BadTable(
            f"The file {path} cannot be read: {problem.strerror or problem}. To compare two names, "
            "give both: explain-names TYPED ON_FILE."
        ) from problem


def _has_windows_lines(path: str) -> bool:
    """Tell whether a file has the line ends of Windows."""
    with open(path, "rb") as table:
        return table.readline().endswith(b"\r\n")


def _fields(header: list[str], fields: list[str], path: str, number: int) -> tuple[str, str, str]:
    row = dict(zip(header, fields, strict=False))
    if any(column not in row for column in _COLUMNS):
        raise BadTable(f"Line {number} of {path} has too few columns.")
    return row["typed"], row["on_file"], row.get("second_holder", "")


def _as_json(found: Explanation) -> str:
    answer = {
        "typed": found.typed,
        "on_file": found.on_file,
        "accepted": found.accepted,
        "kinds": list(found.kinds),
        "same_name": found.same_name,
        "say": found.say,
    }
    text = json.dumps(answer, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, which only an escape can carry
        return json.dumps(answer)
    return text


def _as_sentences(found: Explanation) -> str:
    verdict = "The portal takes it." if found.accepted else "The portal refuses it."
    lines = [f"Typed “{found.typed}”, on file “{found.on_file}”. {verdict}"]
    lines += [f"  {reason}" for reason in found.reasons]
    lines.append(f"  Say: {found.say}")
    return "\n".join(lines)
