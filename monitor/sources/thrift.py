"""Thrift's compact protocol, as far as reading a parquet footer needs it."""

from collections.abc import Mapping
from typing import Any, Union

import pyarrow as pa

Shape = Mapping[int, Union["Shape", tuple["Shape"], type[bytes], type[int]]]
"""The fields that are wanted of a struct, by number: numbers, bytes, a shape for a struct, a tuple
of one shape for a list of structs. Everything else is passed over, as Thrift does with a field of
another type than the expected one."""

_STOP, _TRUE, _FALSE, _BYTE = 0, 1, 2, 3
_DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 7, 8, 9, 10, 11, 12
_INTEGERS = frozenset({4, 5, 6})
_SIZES = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8}

_MORE = 0x80  # the bit of a byte that another byte of the number follows
_LONG = 0x0F  # the size of a list that is written behind it
_DEEPEST = 32


def read_struct(data: bytes, shape: Shape, begin: int = 0, after: int = 0) -> dict[int, Any]:
    """Return those of the wanted fields that a struct has, by number.

    Args:
        data: The bytes.
        shape: The wanted fields.
        begin: Where the struct begins, or its rest.
        after: Number of the field that the rest follows.

    Raises:
        pa.ArrowInvalid: The bytes are not a struct.
    """
    try:
        return _Reader(data, begin).struct(shape, 0, after)
    except IndexError:
        raise pa.ArrowInvalid("the footer ends in the middle of a field") from None


class _Reader:
    """Reads one value after the other; an IndexError says that the bytes have ended."""

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._at = begin

    def struct(self, shape: Shape, depth: int, number: int = 0) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise pa.ArrowInvalid("the footer is nested too deeply")
        found: dict[int, Any] = {}
        while True:
            header = self._byte()
            kind = header & 0x0F
            if kind == _STOP:
                return found
            number = number + (header >> 4) if header >> 4 else _signed(self._number())
            if number in shape and kind in _kinds(shape[number]):
                found[number] = self._wanted(shape[number], depth)
            elif kind not in {_TRUE, _FALSE}:  # their value is their type
                self._pass_over(kind, depth)

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & ~_MORE) << shift
            if byte < _MORE:
                return number
            shift += 7

    def _items(self) -> tuple[int, int]:
        """Return how many items a list has, and of which type."""
        header = self._byte()
        size = header >> 4
        return (self._number() if size == _LONG else size), header & 0x0F

    def _bytes(self) -> bytes:
        size = self._number()
        self._at += size
        return self._data[self._at - size : self._at]

    def _wanted(self, shape: Any, depth: int) -> Any:
        if shape is int:
            return _signed(self._number())
        if shape is bytes:
            return self._bytes()
        if isinstance(shape, Mapping):
            return self.struct(shape, depth + 1)
        size, item = self._items()
        if item == _STRUCT:
            return [self.struct(shape[0], depth + 1) for _ in range(size)]
        self._pass_over_each([item], size, depth)
        return []

    def _pass_over(self, kind: int, depth: int) -> None:
        if kind in _INTEGERS:
            while self._byte() >= _MORE:
                pass
        elif kind == _BINARY:
            self._bytes()
        elif kind == _STRUCT:
            self.struct({}, depth + 1)
        elif kind in _SIZES:
            self._at += _SIZES[kind]
            self._data[self._at - 1]
        else:
            self._pass_over_items(kind, depth + 1)

    def _pass_over_items(self, kind: int, depth: int) -> None:
        if kind in {_LIST, _SET}:
            size, item = self._items()
            kinds = [item]
        elif kind == _MAP:
            size = self._number()
            both = self._byte() if size else 0
            kinds = [both >> 4, both & 0x0F]
        else:
            raise pa.ArrowInvalid(f"the footer has a field of unknown type {kind}")
        self._pass_over_each(kinds, size, depth)

    def _pass_over_each(self, kinds: list[int], size: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise pa.ArrowInvalid("the footer is nested too deeply")
        for _ in range(size):
            for item in kinds:
                self._pass_over(item, depth)


def _kinds(shape: Any) -> frozenset[int]:
    if shape is int:
        return _INTEGERS
    if shape is bytes:
        return frozenset({_BINARY})
    return frozenset({_STRUCT if isinstance(shape, Mapping) else _LIST})


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)
