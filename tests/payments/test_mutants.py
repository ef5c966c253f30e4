"""Each rule of the real code dropped once: the scenes notice every one of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers import server_folder

ROOT = Path(__file__).parents[2]


def test_every_dropped_rule_is_noticed_and_nothing_else_is(sqlite_template):
    room = server_folder("coop-mutants-")
    done = subprocess.run(
        [sys.executable, "-m", "tests.payments.mutants", str(sqlite_template), str(room)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    shutil.rmtree(room)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert {name: said for name, said in told["well"].items() if said} == {}
    missed = [
        name for name, said in told["mutants"].items() if not said or said.startswith("broken")
    ]
    assert missed == [], {name: told["mutants"][name] for name in missed}
    assert len(told["mutants"]) >= 30
