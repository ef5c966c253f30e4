"""The explanation of a refusal: how often it is right on labelled pairs, and what it costs."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from console.domain.names import explain
from tests.bench.look_up import print_times

OURS = Path(__file__).parent.parent / "data" / "names" / "labelled_pairs.tsv"
ALL = Path(__file__).parents[3] / "shared" / "data" / "names" / "name_pairs.tsv"
"""The whole set, where it lies beside the project; else the excerpt that the tests use."""


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.names")
    parser.add_argument("--pairs", type=Path, default=ALL if ALL.exists() else OURS)
    asked = parser.parse_args(argv)
    lines = asked.pairs.read_bytes().decode().splitlines()
    head = lines[0].split("\t")
    pairs = [dict(zip(head, line.split("\t"), strict=False)) for line in lines[1:] if line]
    took, kinds, same, accepted = [], 0, 0, 0
    for pair in pairs:
        began = time.perf_counter()
        found = explain(pair["typed"], pair["on_file"], second_holder=pair.get("second_holder", ""))
        took.append((time.perf_counter() - began) * 1000)
        wanted = pair["kinds"]
        kinds += ",".join(sorted(found.kinds)) == ",".join(sorted(filter(None, wanted.split(","))))
        same += found.same_name == (pair["same_name"] == "yes")
        accepted += found.accepted == (wanted in {"", "case"})
    print_times("names: explaining one pair", took, "pairs")
    for what, right in (("kinds", kinds), ("same name", same), ("accepted", accepted)):
        print(f"names: {what} right for {right} of {len(pairs)} = {100 * right / len(pairs):.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
