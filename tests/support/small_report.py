"""A small report to reproduce, and what its folder holds afterwards."""

from __future__ import annotations

import json
from pathlib import Path

FILES = {"report.md", "report.json", "wait-for.png", "wait-for.mmd", "occupancy.png"}

SMALL = """
title = "Downloads hang, small"
link = "https://example.org/1"
system = "a system"
before = "1.0"
after = "1.1"
seen = "Two clients download at once. None of them ever completes."

[models.before]
function = "simcore.models.pool_starvation:buggy"
parameters = { downloads = 2, workers = 1, chunks = 3 }

[models.after]
function = "simcore.models.pool_starvation:fixed"
parameters = { downloads = 2, workers = 2, callback_workers = 2, chunks = 3 }

[expected]
process = "download"
before = 0
after = 2

[explore]
parameters = { chunks = 1 }
why = "a schedule that hangs in the first chunk is one of the full run"
smallest = { downloads = 1 }

[law]
text = "a hang is reachable if and only if downloads >= workers"
rows = { parameter = "downloads", values = [1, 2] }
columns = { parameter = "workers", values = [1, 2] }

[[prove]]
parameters = { workers = 1, callback_workers = 1, chunks = 1 }

[mutation]
parameters = { workers = 1, callback_workers = 1, chunks = 1, fix = false }

[simulate.latency]
"blob_callback" = 51e-6
"""


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_whole(folder: Path) -> None:
    files = content(folder)
    assert set(files) == FILES
    assert isinstance(json.loads(files["report.json"]), dict)
    assert files["report.md"].decode().endswith("![wait-for.png](wait-for.png)\n")
    for name in ("wait-for.png", "occupancy.png"):
        assert files[name].startswith(b"\x89PNG")
        assert files[name].endswith(b"IEND\xaeB`\x82")
