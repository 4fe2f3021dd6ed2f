"""Signed notes against the published example of their form, and what is not believed."""

import pytest

from monitor.governance.checkpoint import Checkpoint, checkpoint_of, unverified_checkpoint
from monitor.governance.note import (
    Note,
    NoteError,
    Signature,
    VerifyingKey,
    new_signing_key,
    note_of,
    signing_key_of,
    verifying_key_of,
)

# The example in the documentation of golang.org/x/mod/sumdb/note, from which the form comes.
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NOTE = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def test_the_published_example_is_believed_and_written_again_to_the_byte():
    note = note_of(NOTE)
    assert verifying_key_of(PUBLIC).has_signed(note)
    assert str(Note(note.text, (signing_key_of(PRIVATE).sign(note.text),))) == NOTE


def test_keys_survive_their_text_form():
    assert str(verifying_key_of(PUBLIC)) == PUBLIC
    assert signing_key_of(PRIVATE).encoded() == PRIVATE
    key = new_signing_key("example.org/log")
    assert signing_key_of(key.encoded()) == key
    assert verifying_key_of(str(key.verifying)) == key.verifying


def test_a_key_that_is_printed_does_not_give_itself_away():
    assert repr(signing_key_of(PRIVATE)) == "SigningKey(name='PeterNeumann')"


@pytest.mark.parametrize(
    "changed",
    [
        NOTE.replace("answer", "Answer"),
        NOTE.replace("x08go/Z", "x08go/a"),  # the signature
        NOTE.replace("PeterNeumann", "Peter"),  # another's line
    ],
)
def test_what_was_changed_is_not_believed(changed):
    assert not verifying_key_of(PUBLIC).has_signed(note_of(changed))


def test_a_false_line_beside_a_true_one_makes_the_note_unbelievable():
    note = note_of(NOTE)
    false = Signature("PeterNeumann", note.signatures[0].key_id, bytes(64))
    assert not verifying_key_of(PUBLIC).has_signed(Note(note.text, (*note.signatures, false)))


def test_lines_of_others_are_passed_over():
    note = note_of(NOTE)
    witness = new_signing_key("witness")
    both = Note(note.text, (*note.signatures, witness.sign(note.text)))
    assert verifying_key_of(PUBLIC).has_signed(note_of(str(both)))
    assert witness.verifying.has_signed(note_of(str(both)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no signature\n", "a text, an empty line, and lines"),
        ("text\n\n", "a text, an empty line, and lines"),
        ("text\n\n- name AAAA\n", "not a signature line"),
        ("text\n\n— name\n", "not a signature line"),
        ("text\n\n— name AAAA\n", "longer than its key's id"),
        ("text\n\n— name A*AA\n", "not base64"),
        ("a\tb\n\n— name AAAAAAAA\n", "no control characters"),
    ],
)
def test_what_is_no_note(text, message):
    with pytest.raises(NoteError, match=message):
        note_of(text)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (verifying_key_of, "name", r"NAME\+ID\+KEY"),
        (verifying_key_of, PUBLIC.replace("c74f", "c74e"), "do not belong together"),
        (verifying_key_of, PUBLIC[:-8], "not one of Ed25519"),
        (verifying_key_of, PUBLIC.replace("Peter", "Pe ter"), "neither blanks"),
        (signing_key_of, PUBLIC, "not a private key"),
        (signing_key_of, PRIVATE.replace("c74f", "c74e"), "do not belong together"),
        (signing_key_of, PRIVATE[:-8], "not one of Ed25519"),
    ],
)
def test_what_is_no_key(read, text, message):
    with pytest.raises(NoteError, match=message) as refused:
        read(text)
    assert "YEKFALVFGy" not in str(refused.value)  # the secret


def test_a_public_key_has_32_bytes():
    with pytest.raises(NoteError, match="has 32 bytes, not 31"):
        VerifyingKey("name", bytes(31))


def test_what_does_not_end_with_a_newline_is_not_signed():
    with pytest.raises(NoteError, match="ends with a newline"):
        signing_key_of(PRIVATE).sign("text")


def test_a_checkpoint_comes_back_as_it_was_signed():
    key = new_signing_key("example.org/log")
    checkpoint = Checkpoint("example.org/log", 7, bytes(range(32)))
    read = note_of(str(checkpoint.signed(key)))
    assert checkpoint_of(read, key.verifying) == checkpoint


def test_a_checkpoint_of_another_log_is_not_believed():
    key = new_signing_key("example.org/log")
    note = Checkpoint("example.org/other", 7, bytes(32)).signed(key)
    with pytest.raises(NoteError, match=r"is of the log 'example\.org/other'"):
        checkpoint_of(note, key.verifying)
    with pytest.raises(NoteError, match=r"not signed by example\.org/log"):
        checkpoint_of(note, new_signing_key("example.org/log").verifying)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log\n7\n", "not 2 lines"),
        ("log\n7\nAAAA\nextension\n", "not 4 lines"),
        ("\n7\nAAAA\n", "names the log"),
        ("log\n07\nAAAA\n", "without leading zeros"),
        ("log\n-7\nAAAA\n", "without leading zeros"),
        ("log\n\u0667\nAAAA\n", "without leading zeros"),
        ("log\n7\nA*AA\n", "not base64"),
        ("log\n7\nAAAA\n", "32 bytes, not 3"),
    ],
)
def test_what_is_no_checkpoint(text, message):
    with pytest.raises(NoteError, match=message):
        unverified_checkpoint(Note(text, ()))
