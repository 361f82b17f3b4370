"""What came out of reproducing a report, as text, Markdown, plain data and pictures; a failed claim is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from simcore.command.reproduce.report import Report
from simcore.explore import Result


@dataclass
class Reproduction:
    """What came out, section by section.

    Attributes
    ----------
    sections : list of (str, str)
        Heading and text, as printed and as written in Markdown.
    data : dict
        The same as plain data, for JSON.
    failed : list of str
        Claims of the report that could not be shown.
    pictures : dict of str to bytes
        File name to PNG.
    mermaid : str
        The wait-for graph of the counterexample; empty when there is none.
    found : Result, optional
        The answer of the search for the hang.
    """

    report: Report
    sections: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    mermaid: str = ""
    found: Result | None = None

    def check(self, claim: str, shown: bool) -> str:
        """Note whether a claim was shown, and return it with its mark."""
        if not shown:
            self.failed.append(claim)
        return f"[{'ok' if shown else 'NOT SHOWN'}] {claim}"

    @property
    def markdown(self) -> str:
        """The whole report as Markdown."""
        parts = [f"# {self.report.title}", ""]
        for heading, text in self.sections:
            body = text if text.startswith("|") else f"```text\n{text}\n```"
            parts += [f"## {heading}", "", body, ""]
        parts += [f"![{name}]({name})\n" for name in sorted(self.pictures)]
        return "\n".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {"title": self.report.title, "failed": self.failed, **self.data}

    def files(self) -> dict[str, bytes | str]:
        """Return everything that the folder holds, by file name."""
        written: dict[str, bytes | str] = dict(self.pictures)
        written["report.md"] = self.markdown
        written["report.json"] = json.dumps(self.as_json(), indent=2) + "\n"
        if self.mermaid:
            written["wait-for.mmd"] = self.mermaid + "\n"
        return written

    @property
    def verdict(self) -> str:
        """What became of the claims, in a line each."""
        if not self.failed:
            return "everything in the report was shown"
        return "\n".join(["NOT SHOWN:", *(f"  {claim}" for claim in self.failed)])
