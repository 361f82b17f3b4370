"""The page: an answer to be looked at, step by step, in one file; and the same picture in a notebook.

A `Film` is what is shown, as data; `schedule.js` shows it.
"""

from simcore.report.page.exports import itf, mermaid_sequence, perfetto
from simcore.report.page.film import Film, as_data
from simcore.report.page.of_model import of_replay
from simcore.report.page.page import film_of, framed, page_of, picture_of

__all__ = [
    "Film",
    "as_data",
    "film_of",
    "framed",
    "itf",
    "mermaid_sequence",
    "of_replay",
    "page_of",
    "perfetto",
    "picture_of",
]
