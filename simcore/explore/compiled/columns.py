"""A state is a row of 64-bit words: each column holds a small code for what stands there, in just enough bits.

A column's codes are numbered in the order in which they are met. When one does not fit its bits any more, a new
layout is made; bits that would be left over in a word are given to its columns, so that this is rare.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from simcore.explore.compiled.kinds import Array
from simcore.explore.compiled.rows import fill, pack, unpack
from simcore.explore.compiled.structs import Layout


class Columns:
    """The codes of all columns, and the layout of rows.

    Parameters
    ----------
    first : iterable of int
        What the columns hold in the initial state.
    seed : int
        Of the random words that hashes are made of.
    """

    def __init__(self, first: Iterable[int], seed: int) -> None:
        self._seed = seed
        self._codes: list[dict[int, int]] = []
        self._capacity: list[int] = []
        self._bits: list[int] = []
        self.tight = True
        """Whether some code does not fit the layout: `arrange` must be called before rows are written."""
        for number in first:
            self.add_column(number)

    def add_column(self, first: int) -> None:
        """Add a column, which holds ``first`` so far."""
        self._codes.append({first: 0})
        self._capacity.append(0)
        self._bits.append(0)
        self.tight = True

    def __len__(self) -> int:
        return len(self._bits)

    @property
    def codes(self) -> list[list[int]]:
        """For each column what its codes stand for, in order."""
        return [list(codes) for codes in self._codes]

    @codes.setter
    def codes(self, columns: list[list[int]]) -> None:
        while len(self) < len(columns):
            self.add_column(columns[len(self)][0])
        self._codes = [{number: code for code, number in enumerate(codes)} for codes in columns]
        self.arrange()

    def code(self, column: int, number: int) -> int:
        """Return the code for ``number`` in ``column``."""
        codes = self._codes[column]
        code = codes.get(number)
        if code is None:
            code = codes[number] = len(codes)
            if code >= self._capacity[column] or code >> self._bits[column]:
                self.tight = True
            else:
                self.layout.ident[int(self.layout.offset[column]) + code] = number
        return code

    def arrange(self) -> None:
        """Make a layout in which all codes fit."""
        self._bits = [max(1, (len(codes) - 1).bit_length()) for codes in self._codes]
        words: list[list[int]] = []
        for column in sorted(range(len(self)), key=lambda c: -self._bits[c]):
            room = (word for word in words if self._used(word) + self._bits[column] <= 64)
            word = next(room, None)
            if word is None:
                words.append([column])
            else:
                word.append(column)
        for word in words:
            self._spread(word)
        self.words = len(words)
        self.layout = self._layout(words)
        self.tight = False

    def _used(self, word: list[int]) -> int:
        return sum(self._bits[column] for column in word)

    def _spread(self, word: list[int]) -> None:
        """Give the bits that are left over to those columns first that have most codes."""
        spare = 64 - self._used(word)
        wanting = [column for column in word if self._bits[column] > 1] or word
        while spare:
            for column in wanting:
                self._bits[column] += spare > 0 and self._bits[column] < 30
                spare -= spare > 0

    def _layout(self, words: list[list[int]]) -> Layout:
        size = len(self)
        word, shift = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        for number, columns in enumerate(words):
            used = 0
            for column in columns:
                word[column], shift[column] = number, used
                used += self._bits[column]
        self._capacity = [max(64, 4 * len(codes)) for codes in self._codes]
        ends = np.cumsum(self._capacity)
        offset = ends - self._capacity
        ident = np.zeros(ends[-1], np.int32)
        for start, codes in zip(offset, self._codes, strict=True):
            ident[start : start + len(codes)] = list(codes)
        random = np.zeros(ends[-1], np.uint64)
        for column, (start, end) in enumerate(zip(offset, ends, strict=True)):
            fill(random[start:end], column, self._seed)
        mask = np.array([(1 << bits) - 1 for bits in self._bits], np.uint64)
        return Layout(word, shift, mask, offset.astype(np.uint64), ident, random)

    def packed(self, numbers: Iterable[int]) -> Array:
        """Return numbers of the kernel, one for each column, as a row."""
        codes = np.array([self.code(column, number) for column, number in enumerate(numbers)], np.int64)
        row = np.zeros(self.words, np.uint64)
        pack(self.layout, row, codes)
        return row

    def numbers(self, row: Array) -> list[int]:
        """Return a row as numbers of the kernel, one for each column."""
        codes, numbers = np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        unpack(self.layout, row, codes, numbers)
        return numbers.tolist()
