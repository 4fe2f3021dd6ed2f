"""Where the integers of a Thrift compact document are: what footers and page headers are made of."""

from dataclasses import dataclass

_STOP, _TRUE, _FALSE, _BYTE = 0, 1, 2, 3
_INTEGERS = {4, 5, 6}
_DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 7, 8, 9, 10, 11, 12

NOT_A_DOCUMENT = (IndexError, AssertionError, RecursionError)
"""What walking damaged bytes ends in."""


@dataclass(frozen=True)
class Number:
    """A varint in a document.

    Attributes:
        begin: Its first byte.
        end: The byte after its last one.
        signed: Whether it is zigzag-coded; lengths and sizes are not.
    """

    begin: int
    end: int
    signed: bool


class Document:
    """One Thrift struct, walked once.

    Attributes:
        numbers: Its integers, lengths and sizes, in the order of their bytes.
        texts: Of these the lengths of texts and bytes, which follow them.
        end: The byte after it.
    """

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._at = begin
        self.numbers: list[Number] = []
        self.texts: list[Number] = []
        self._struct()
        self.end = self._at

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self, *, signed: bool = False) -> int:
        begin, value, shift = self._at, 0, 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        self.numbers.append(Number(begin, self._at, signed))
        return value

    def _struct(self) -> None:
        while True:
            header = self._byte()
            kind = header & 0x0F
            if kind == _STOP:
                return
            if not header >> 4:
                self._varint(signed=True)
            if kind not in {_TRUE, _FALSE}:  # a boolean field is in its header
                self._value(kind)

    def _value(self, kind: int) -> None:
        if kind in _INTEGERS:
            self._varint(signed=True)
        elif kind in {_TRUE, _FALSE, _BYTE}:
            self._byte()
        elif kind == _DOUBLE:
            self._at += 7
            self._byte()
        elif kind == _BINARY:
            length = self._varint()
            self.texts.append(self.numbers[-1])
            self._at += length
        elif kind == _STRUCT:
            self._struct()
        else:
            self._items(kind)

    def _items(self, kind: int) -> None:
        if kind in {_LIST, _SET}:
            header = self._byte()
            size = header >> 4 if header >> 4 < 0x0F else self._varint()
            kinds = [header & 0x0F]
        else:
            assert kind == _MAP, f"no Thrift type is {kind}"
            size = self._varint()
            both = self._byte() if size else 0
            kinds = [both >> 4, both & 0x0F]
        for _ in range(size):
            for item in kinds:
                self._value(item)


def varint(value: int, *, signed: bool) -> bytes:
    """Return a number in the fewest bytes."""
    rest = ((value << 1) ^ (value >> 63)) & (2**64 - 1) if signed else value & (2**64 - 1)
    written = bytearray()
    while rest >= 0x80:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def changed_numbers(data: bytes, changes: dict[int, int], most: int = -1) -> bytes:
    """Return a parquet file with numbers of its footer replaced by others of the same width.

    Args:
        data: The file.
        changes: Number to the one that takes its place.
        most: How many of them are replaced, from the front; -1 for all.
    """
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    changed = bytearray(data)
    written = {varint(old, signed=True): new for old, new in changes.items()}
    for number in Document(data, begin).numbers:
        new = written.get(data[number.begin : number.end])
        if number.signed and new is not None and most:
            changed[number.begin : number.end] = varint(new, signed=True)
            most -= 1
    assert len(changed) == len(data)
    return bytes(changed)
