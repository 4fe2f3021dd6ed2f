"""``modelmon-audit-verify``: verify an export of the audit log, anywhere, with this file alone.

It needs Python 3.11 and ``cryptography``, nothing of modelmon: copy the file to where the administrator of
the store has no say. It shares no code with what wrote the log: an error there does not hide itself here.

    modelmon-audit-verify export.jsonl --key ORIGIN+ID+KEY --trusted checkpoints.jsonl

The key must come from elsewhere than the export: it was printed when it was made. A trusted file
holds checkpoints that were kept outside the store, one JSON object a line: {"at": …, "checkpoint": …}; other lines,
as of a daemon's collected output, are left out.
What a Prometheus has seen is given by --samples, as its API answers (or as /metrics was saved):

    curl -G http://prometheus:9090/api/v1/query --data-urlencode \
      'query={__name__=~"modelmon_audit_log_size|modelmon_audit_root_part"}[30d]'

A receipt is verified with the key alone, and against an export of any later time if there is one:
modelmon-audit-verify --receipt receipt.json --key … [export.jsonl]. With --witness, the public key of one,
checkpoints that it cosigned are believed as trusted ones are, with its time; none is a thing that is wrong.

Where a daemon kept the log, times of more than 65 minutes without a record are told, and whether it had been
told to end. They are nothing that is wrong: that nobody wrote is for whoever ran it to explain.

Exit code 0: nothing is wrong; 1: something is, with the record at which it shows; 2: usage.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SKEW = timedelta(minutes=5)
"""How far clocks of the daemon and of a witness may be apart."""

PROMISED = timedelta(hours=1, minutes=5)
"""The longest that a log which a daemon keeps is without a record."""

_WIDTHS = (52, 52, 52, 52, 48)  # bits of the parts of a root
_SIGNS, _COSIGNS = b"\x01", b"\x04"  # the kinds of keys: of a log, of a witness
_KEY_BYTES = 33  # the kind of key, then the key

Key = tuple[str, bytes]  # name, and public key
Seen = tuple[str, int, bytes, datetime | None]  # origin, size and root as somebody saw them, when
Wrong = tuple[int | None, str]  # the record that shows it, and what is wrong
_Log = tuple[str, list[str], list[str]]  # origin, records and checkpoints


class UnusableError(Exception):
    """What was given cannot be read at all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, verify, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="modelmon-audit-verify", description="Verify an export of modelmon's audit log."
    )
    parser.add_argument("export", type=Path, nargs="?", help="what `modelmon audit export` wrote")
    parser.add_argument("--key", action="append", required=True, help="ORIGIN+ID+KEY, of each log")
    parser.add_argument("--trusted", action="append", type=Path, default=[], help="file, see above")
    parser.add_argument("--samples", action="append", type=Path, default=[], help="file, see above")
    parser.add_argument("--receipt", action="append", type=Path, default=[], help="file, see above")
    parser.add_argument("--witness", action="append", default=[], help="NAME+ID+KEY, see above")
    given = parser.parse_args(arguments)
    if given.export is None and not given.receipt:
        parser.error("an export, or a receipt, is what there is to verify")
    try:
        keys = dict(_key(text) for text in given.key)
        logs = [] if given.export is None else _logs(given.export)
        trusted = [line for path in given.trusted for line in _json_lines(path, '"checkpoint":')]
        seen = [one for path in given.samples for one in samples_of(path)]
        receipts = [receipt for path in given.receipt for receipt in _receipts(path)]
        wrong = sum(_told_of_receipt(receipt, keys, logs) for receipt in receipts)
        trusted += [receipt for receipt in receipts if receipt["checkpoint"] is not None]
        witnesses = [_key(text, _COSIGNS) for text in given.witness]
        for origin, records, notes in logs:
            cosigned = [_cosigned(note, key) for note in notes for key in witnesses]
            trusted += [each for each in cosigned if each is not None]
            for name, _ in witnesses:
                if not any(each is not None and each["by"] == name for each in cosigned):
                    print(f"{origin}: no checkpoint is cosigned by {name}")
                    wrong += 1
            wrong += _tell(origin, records, notes, keys, trusted, seen)
    except UnusableError as error:
        print(f"modelmon-audit-verify: {error}", file=sys.stderr)
        return 2
    return int(wrong > 0)


def _tell(  # noqa: PLR0917  # six things of one log
    origin: str,
    records: list[str],
    notes: list[str],
    keys: dict[str, bytes],
    trusted: list[dict[str, Any]],
    seen: list["Seen"],
) -> int:
    if origin not in keys:
        raise UnusableError(f"no --key was given for the log {origin}")
    found = list(verify(origin, records, notes, keys[origin], trusted, seen))
    for sequence, what in found:
        print(f"{origin}: {'the log' if sequence is None else f'record {sequence}'}: {what}")
    for silence in _silent(records):
        print(f"{origin}: {silence}")
    print(f"{origin}: {len(records)} records, {len(found)} things wrong")
    return len(found)


def verify(  # noqa: PLR0917  # six things of one log
    origin: str,
    records: Sequence[str],
    notes: Sequence[str],
    key: bytes,
    trusted: Sequence[dict[str, Any]],
    seen: Sequence["Seen"] = (),
) -> Iterator[Wrong]:
    """Yield everything that is wrong with a log, by the key and the copies that are believed."""
    times = yield from _chain(origin, records)
    keys = yield from _keys(origin, records, notes, key)
    roots = _roots([_leaf(body) for body in records])
    copies = [one for one in trusted if str(one.get("checkpoint")).startswith(f"{origin}\n")]
    reach = 0
    for note in notes:
        covered, wrong = _held(note, origin, keys, roots)
        reach = max(reach, covered)
        yield from _named("a checkpoint of the export", wrong)
    for copy in copies:
        covered, wrong = _held(str(copy["checkpoint"]), origin, keys, roots)
        reach = max(reach, covered)
        yield from _named("a trusted checkpoint", wrong)
        if wrong is None and copy.get("at") is not None:
            yield from _backdated(times, covered, datetime.fromisoformat(str(copy["at"])))
    for said, size, root, at in seen:
        if said == origin:
            covered, wrong = _beside(size, base64.b64encode(root).decode(), roots)
            reach = max(reach, covered)
            yield from _named("a sample", wrong)
            if wrong is None and at is not None:
                yield from _backdated(times, covered, at)
    if reach < len(records):
        yield reach, f"{len(records) - reach} records at the end are covered by no checkpoint"


def _silent(records: Sequence[str]) -> Iterator[str]:
    """Yield when nobody wrote, in words: no thing that is wrong, but one that is to be explained."""
    kept, planned, before = False, False, None
    for body in records:
        with suppress(ValueError, RecursionError, KeyError, TypeError):  # told by `_chain`
            record = _record(body)
            at, kind = datetime.fromisoformat(record["ts"]), record["type"]
            if kept and before is not None and at - before > PROMISED:
                because = ", for which the daemon was told to end" if planned else ""
                yield f"silent from {before} until {at}, {at - before}{because}"
            if kind in {"log.heartbeat", "log.rested"}:
                kept, planned = True, kind == "log.rested"
            before = at


def _told_of_receipt(receipt: dict[str, Any], keys: dict[str, bytes], logs: list[_Log]) -> int:
    origin, records = str(receipt["log"]), receipt["records"]
    if origin not in keys:
        raise UnusableError(f"no --key was given for the log {origin}, which a receipt is of")
    exported = next((bodies for name, bodies, _ in logs if name == origin), None)
    found = list(_of_receipt(receipt, (origin, keys[origin]), exported))
    for sequence, what in found:
        print(f"{origin}: {'a receipt' if sequence is None else f'record {sequence}'}: {what}")
    places = ", ".join(str(each["seq"]) for each in records)
    print(f"{origin}: receipt of record {places}, {len(found)} things wrong")
    return len(found)


def _of_receipt(
    receipt: dict[str, Any], key: Key, exported: Sequence[str] | None
) -> Iterator[Wrong]:
    """Yield what is wrong with a receipt, by itself and beside an export."""
    note = receipt["checkpoint"]
    if note is None:
        yield None, "the log was not signed: it proves nothing"
        return
    if exported is None and not _signed(note, key):
        yield None, "not signed by the key that is believed"
    size, root = _size(note), note.split("\n")[2:3]
    for each in receipt["records"]:
        place, body = each["seq"], each["record"]
        leaf = _leaf(body)
        way = [bytes.fromhex(item) for item in each["proof"]]
        led = None if size is None else _led(leaf, place, size, way)
        if leaf.hex() != each["leaf"] or _record(body).get("seq") != place:
            yield place, "the receipt's record is not what its hash and place are of"
        if led is None or [base64.b64encode(led).decode()] != root:
            yield place, "the receipt does not lead to the root that was signed"
        if exported is not None and (place >= len(exported) or exported[place] != body):
            yield place, "the receipt has another record than the export, or the export none"


def _led(leaf: bytes, place: int, size: int, way: list[bytes]) -> bytes | None:
    """Return the root that a proof leads to (RFC 6962, by recursion over the tree's halves)."""
    if not 0 <= place < size:
        return None
    if size == 1 or not way:
        return leaf if size == 1 and not way else None
    half = 1 << (size - 1).bit_length() - 1
    *rest, other = way
    if place < half:
        under = _led(leaf, place, half, rest)
        return None if under is None else _node(under, other)
    under = _led(leaf, place - half, size - half, rest)
    return None if under is None else _node(other, under)


def _receipts(path: Path) -> list[dict[str, Any]]:
    """Return the receipts of a file: a line each, or in the answer of the HTTP interface."""
    found = [receipt for line in _json_lines(path) for receipt in line.get("receipts", [line])]
    for receipt in found:
        try:
            for each in receipt["records"]:
                _record(each["record"])
                [*map(bytes.fromhex, each["proof"])]
            if not (receipt["records"] and isinstance(receipt["checkpoint"], str | None)):
                raise ValueError("it has no record, or a checkpoint that is no text")  # noqa: TRY301
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnusableError(f"{path} is no receipt: {error!r}") from error
    return found


def samples_of(path: Path) -> list[Seen]:
    """Return what the samples of a file say: of many of one state, the latest."""
    try:
        text = path.read_text(encoding="utf-8")
        series = _series(text) if text.lstrip().startswith("{") else _page(text)
        states: dict[Any, dict[str, float]] = {}
        for labels, at, value in series:
            where = {key: labels[key] for key in sorted(labels) if key not in {"__name__", "part"}}
            states.setdefault((json.dumps(where), at), {})[labels.get("part", "size")] = value
        found: dict[tuple[str, int, bytes], datetime | None] = {}
        for (where, at), state in sorted(states.items(), key=lambda item: item[0][1] or 0.0):
            if len(state) == 1 + len(_WIDTHS):  # the size, and every part
                seen = None if at is None else datetime.fromtimestamp(at, UTC)
                found[json.loads(where)["log"], int(state["size"]), _root(state)] = seen
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise UnusableError(f"{path} holds no samples of an audit log: {error!r}") from error
    if not found:
        raise UnusableError(f"{path} holds no whole sample of an audit log")
    return [(*key, at) for key, at in found.items()]


def _series(text: str) -> Iterator[tuple[dict[str, str], float | None, float]]:
    for series in json.loads(text)["data"]["result"]:
        for at, value in series.get("values") or [series["value"]]:
            yield series["metric"], float(at), float(value)


def _page(text: str) -> Iterator[tuple[dict[str, str], float | None, float]]:
    names = "modelmon_audit_log_size|modelmon_audit_root_part"
    for labels, value in re.findall(rf"(?m)^(?:{names})\{{(.*)\}} (\S+)", text):
        yield dict(re.findall(r'(\w+)="([^"]*)"', labels)), None, float(value)


def _root(state: dict[str, float]) -> bytes:
    """Return the root whose parts are samples: 52 bits each, the highest first, 48 in the last."""
    bits = "".join(f"{int(state[str(n)]):0{width}b}" for n, width in enumerate(_WIDTHS))
    return int(bits, 2).to_bytes(32)


def _named(what: str, wrong: Wrong | None) -> Iterator[Wrong]:
    if wrong is not None:
        yield wrong[0], f"{what}: {wrong[1]}"


def _keys(
    origin: str, records: Sequence[str], notes: Sequence[str], key: bytes
) -> Generator[Wrong, None, list[tuple[int, bytes]]]:
    """Yield changes of the key that the one before did not sign; return the keys and their begin."""
    keys = [(0, key)]
    for place, new in _handed_on(records):
        signed = [note for note in notes if _size(note) == place + 1]
        if new == keys[-1][1]:
            continue
        if any(_signed(note, (origin, keys[-1][1])) for note in signed):
            keys.append((place, new))
        else:
            yield place, "it hands the log to a key, and the key before did not sign that"
    return keys


def _chain(origin: str, records: Sequence[str]) -> Generator[Wrong, None, list[datetime | None]]:
    """Yield what is wrong with records and their order; return their instants."""
    previous, before, times = bytes(32).hex(), None, list[datetime | None]()
    for place, body in enumerate(records):
        try:
            record = _record(body)
            at = datetime.fromisoformat(record["ts"])
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            yield place, f"no record: {error}"
            times.append(None)
        else:
            if record.get("log") != origin:
                yield place, f"a record of the log {record.get('log')!r}"
            if record.get("seq") != place:
                yield place, f"it says that it is record {record.get('seq')}"
            if record.get("prev") != previous:
                yield place, "it was written after another record"
            if before is not None and at < before:
                yield place, f"it is of {at}, the one before of {before}"
            before = at
            times.append(at)
        previous = _leaf(body).hex()
    return times


def _record(body: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands in it twice")
        return dict(pairs)

    record = json.loads(body, object_pairs_hook=once)
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if not isinstance(record, dict) or text != body:
        raise ValueError("not in the one form that a log writes")
    return record


def _handed_on(records: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    for place, body in enumerate(records):
        try:
            record = _record(body)
            if record.get("type") in {"key.created", "key.rotated"}:
                yield place, _key(str(record["data"]["after"]))[1]
        except (ValueError, RecursionError, KeyError, TypeError, UnusableError):
            continue  # what is no record has been told, and what names no key hands nothing on


def _leaf(body: str) -> bytes:
    return hashlib.sha256(b"\x00" + body.encode()).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _roots(leaves: Sequence[bytes]) -> list[bytes]:
    """Return the root over the first n leaves, for each n from 0."""
    roots = [hashlib.sha256(b"").digest()]
    whole: list[tuple[int, bytes]] = []  # complete subtrees and their sizes, the largest first
    for leaf in leaves:
        whole.append((1, leaf))
        while len(whole) > 1 and whole[-1][0] == whole[-2][0]:
            (size, right), (_, left) = whole.pop(), whole.pop()
            whole.append((2 * size, _node(left, right)))
        root = whole[-1][1]
        for _, larger in reversed(whole[:-1]):
            root = _node(larger, root)
        roots.append(root)
    return roots


def _held(
    note: str, origin: str, keys: Sequence[tuple[int, bytes]], roots: Sequence[bytes]
) -> tuple[int, Wrong | None]:
    """Return how many records a checkpoint speaks of, and what is wrong with them."""
    size = _size(note)
    if size is None:
        return 0, (None, "not a checkpoint")
    believed = [key for begin, key in keys if begin < max(size, 1)][-1]
    if not _signed(note, (origin, believed)):
        return 0, (None, "not signed by the key that is believed")
    said, _, root = note.split("\n")[:3]
    if said != origin:
        return 0, (None, f"of the log {said!r}")
    return _beside(size, root, roots)


def _beside(size: int, root: str, roots: Sequence[bytes]) -> tuple[int, Wrong | None]:
    here = len(roots) - 1
    if size > here:
        return here, (here, f"of {size} records; {here} are here")
    if base64.b64encode(roots[size]).decode() != root:
        return size, (max(size - 1, 0), f"of {size} records, made over others than are here")
    return size, None


def _backdated(times: Sequence[datetime | None], size: int, seen: datetime) -> Iterator[Wrong]:
    for place, at in enumerate(times[size:], size):
        if at is not None and at < seen - SKEW:
            yield place, f"it is of {at}, and a copy of {seen} did not have it"
            return


def _size(note: str) -> int | None:
    found = re.fullmatch(r"[^\n]*\n([0-9]{1,18})\n[^\n]*", note.partition("\n\n")[0])
    return int(found[1]) if found else None


def _lines_of(note: str, key: Key, kind: bytes) -> tuple[str, list[bytes]]:
    """Return what a note says, and what the lines of a key hold after its id."""
    name, public = key
    text, blank, lines = note.rpartition("\n\n")
    identity, mine = hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4], []
    for line in lines.splitlines() if blank else ():
        dash, _, rest = line.partition(" ")
        who, _, value = rest.partition(" ")
        raw = _decoded(value)
        if dash == "—" and who == name and raw[:4] == identity:
            mine.append(raw[4:])
    return f"{text}\n", mine


def _signed(note: str, key: Key) -> bool:
    """Return whether a key signed a note, and no line claims so falsely."""
    text, mine = _lines_of(note, key, _SIGNS)
    try:
        for signature in mine:
            Ed25519PublicKey.from_public_bytes(key[1]).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return bool(mine)


def _cosigned(note: str, key: Key) -> dict[str, Any] | None:
    """Return a checkpoint as a trusted one, if a witness has cosigned it: with the time it said."""
    text, mine = _lines_of(note, key, _COSIGNS)
    for raw in mine:
        seconds = int.from_bytes(raw[:8])
        try:
            signed = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(key[1]).verify(raw[8:], signed)
            at = datetime.fromtimestamp(seconds, UTC).isoformat()
        except (InvalidSignature, ValueError, OverflowError, OSError):
            continue
        return {"checkpoint": note, "at": at, "by": key[0]}
    return None


def _key(text: str, kind: bytes = _SIGNS) -> Key:
    name, _, rest = text.strip().partition("+")
    identity, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if len(raw) != _KEY_BYTES or raw[:1] != kind:
        raise UnusableError(f"a key is ORIGIN+ID+KEY, which this is not: {text!r}")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != identity:
        raise UnusableError(f"name, id and key do not belong together: {text!r}")
    return name, raw[1:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _logs(path: Path) -> list[_Log]:
    logs: list[_Log] = []
    for line in _json_lines(path):
        if "log" in line:
            logs.append((str(line["log"]), [], []))
        elif logs and "record" in line:
            logs[-1][1].append(str(line["record"]))
        elif logs and "checkpoint" in line:
            logs[-1][2].append(str(line["checkpoint"]))
        elif "words" in line:  # of a person: the log has their salted digest
            _check_words(path, line)
        else:
            raise UnusableError(f"{path} is no export of an audit log")
    if not logs:
        raise UnusableError(f"{path} holds no log")
    return logs


def _check_words(path: Path, line: dict[str, Any]) -> None:
    salted = bytes.fromhex(line.get("salt", "")) + str(line.get("text")).encode()
    if "erased" not in line and f"sha256:{hashlib.sha256(salted).hexdigest()}" != line["words"]:
        raise UnusableError(f"{path}: other words than those of {line['words']}")


def _json_lines(path: Path, mark: str = "") -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8").removesuffix("\n")  # the one end of a line
        lines = [json.loads(line) for line in text.split("\n") if mark in line] if text else []
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path} cannot be read: {error}") from error
    if mark and not lines:
        raise UnusableError(f"{path} holds no line with {mark}")
    if not all(isinstance(line, dict) for line in lines):
        raise UnusableError(f"{path}: each line is a JSON object")
    return lines


if __name__ == "__main__":
    sys.exit(main())
