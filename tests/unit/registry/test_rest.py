"""Calls over HTTP: who asks, how often, and what is never done silently."""

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from threading import Thread
from time import sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.domain.errors import RegistryError
from monitor.registry import rest
from monitor.registry.rest import Credentials, DeclinedError, RestClient
from tests.answers import answering

OK = (200, {}, b'{"a": 1}')


def client(url, *, slept=None, **more):
    pauses = [] if slept is None else slept
    return RestClient(url, timeout=60, sleep=pauses.append, **more)


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials("t0ken"), "Bearer t0ken"),
        (Credentials("", "ada", "pä:ss"), "Basic YWRhOnDDpDpzcw=="),
        (Credentials(), None),
    ],
)
def test_who_asks_is_said_in_every_request_and_shown_nowhere(credentials, header):
    with answering(OK) as (url, asked):
        assert client(url, credentials=credentials).get("/a", {"q": "x y"}) == {"a": 1}
    assert asked[0][2].get("Authorization") == header
    assert asked[0][1] == "/a?q=x+y"
    assert "t0ken" not in repr(credentials) and "pä" not in repr(credentials)


def test_a_path_in_the_address_comes_first_and_a_password_in_it_is_not_shown():
    with answering(OK) as (url, asked):
        behind = client(f"{url}/mlflow/")
        behind.post("/a", {"b": 1})
        assert behind.shown == f"{url}/mlflow"
    assert asked[0][:2] == ("POST", "/mlflow/a")
    assert client("http://ada:secret@h:5000").shown == "http://h:5000"


def test_what_may_succeed_later_is_tried_again_after_longer_and_longer_pauses():
    slept = []
    with answering((503, {}, b"busy"), (500, {}, b""), OK) as (url, asked):
        assert client(url, slept=slept).get("/a") == {"a": 1}
    assert len(asked) == 3
    assert slept == [0.5, 1.0]


def test_what_goes_on_failing_is_an_error_that_says_so_and_may_be_tried_later():
    with (
        answering((503, {}, b"busy")) as (url, asked),
        pytest.raises(DeclinedError, match="GET /a was answered 503 busy") as error,
    ):
        client(url).get("/a")
    assert len(asked) == 3
    assert error.value.retryable


def test_a_refusal_is_not_tried_again_and_has_the_name_that_the_server_gave_it():
    said = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such model"}'
    with (
        answering((404, {}, said)) as (url, asked),
        pytest.raises(DeclinedError, match="404 no such model") as error,
    ):
        client(url).get("/a?q=1")
    assert len(asked) == 1
    assert (error.value.code, error.value.retryable) == ("RESOURCE_DOES_NOT_EXIST", False)


def test_a_login_that_is_not_accepted_says_what_would_be_right():
    with (
        answering((401, {}, b"")) as (url, _),
        pytest.raises(DeclinedError, match="is the token or the password right"),
    ):
        client(url).get("/a")


def test_credentials_go_nowhere_else_a_redirect_is_an_error():
    with (
        answering(OK) as (elsewhere, reached),
        answering((302, {"Location": elsewhere}, b"")) as (url, _),
        pytest.raises(DeclinedError, match="302 ; redirects are not followed"),
    ):
        client(url, credentials=Credentials("t")).get("/a")
    assert reached == []


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff"])
def test_an_answer_that_is_no_json_object_is_an_error(body):
    with (
        answering((200, {}, body)) as (url, _),
        pytest.raises(RegistryError, match="/a answers no JSON"),
    ):
        client(url).get("/a")


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(rest, "LARGEST", 10)
    with (
        answering((200, {}, b"x" * 11)) as (url, _),
        pytest.raises(RegistryError, match="more than 10 bytes"),
    ):
        client(url).read("/a", {"p": "q"})


def test_an_answer_that_breaks_off_is_no_answer(tmp_path):
    with answering((200, {"Content-Length": "99"}, b"half")) as (url, asked):
        with pytest.raises(RegistryError, match="cannot be asked: IncompleteRead") as error:
            client(url).read("/a", {"p": "q"})
        assert error.value.retryable
        assert len(asked) == 3
        with pytest.raises(RegistryError, match="cannot be fetched: IncompleteRead"):
            client(url).fetch("/a", {"p": "q"}, tmp_path / "a")


@pytest.mark.slow
@pytest.mark.parametrize("length", ["", "Content-Length: 99999\r\n"])
def test_an_answer_that_comes_byte_by_byte_and_never_ends_is_cut_off(length):
    def drip(listening):
        for _ in range(3):
            with listening.accept()[0] as connection, suppress(OSError):
                connection.sendall(f"HTTP/1.0 200 OK\r\n{length}\r\n".encode())
                while True:
                    connection.sendall(b" ")
                    sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=drip, args=(listening,))
        thread.start()
        asks = client(f"http://127.0.0.1:{listening.getsockname()[1]}", longest=0.2)
        with pytest.raises(RegistryError, match="it has not answered all in the time") as error:
            asks.get("/a")
        thread.join()
    assert error.value.retryable


def test_a_file_of_any_size_is_fetched_with_its_digest(tmp_path, monkeypatch):
    monkeypatch.setattr(rest, "_PART", 7)
    content = bytes(range(256)) * 3
    with answering((200, {}, content)) as (url, asked):
        digest = client(url, credentials=Credentials("t")).fetch("/a", {"p": "q"}, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content
    assert digest == sha256(content).hexdigest()
    assert asked[0][1:2] == ("/a?p=q",) and asked[0][2]["Authorization"] == "Bearer t"


def test_a_file_that_is_not_there_is_not_written(tmp_path):
    with (
        answering((404, {}, b"no")) as (url, _),
        pytest.raises(DeclinedError, match="404 no"),
    ):
        client(url).fetch("/a", {"p": "q"}, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_nobody_at_home_is_told_and_may_be_tried_later():
    with answering(OK) as (url, _):
        pass
    slept = []
    with pytest.raises(RegistryError, match=r"cannot be asked: .*refused") as error:
        client(url, slept=slept).get("/a")
    assert error.value.retryable
    assert slept == [0.5, 1.0]


def a_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")])
    now = datetime.now(UTC)  # noqa: TID251  # OpenSSL reads the machine's clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "ca.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    return trusted, secret


def test_a_certificate_is_always_verified(tmp_path):
    trusted, secret = a_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    with answering(OK, tls=context) as (url, asked):
        strange = client(url, credentials=Credentials("t"))
        with pytest.raises(RegistryError, match="certificate verify failed") as error:
            strange.get("/a")
        assert not error.value.retryable
        assert asked == []
        assert client(url, ca=str(trusted)).get("/a") == {"a": 1}


def test_a_file_without_certificates_is_an_error_before_anything_is_asked(tmp_path):
    with pytest.raises(RegistryError, match=r"ca\.pem cannot be read"):
        client("https://h", ca=str(tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(RegistryError, match=r"ca\.pem cannot be read"):
        client("https://h", ca=str(tmp_path / "ca.pem"))
