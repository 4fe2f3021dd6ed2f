"""Calls over HTTP: who asks, how often, and what is never done silently."""

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.domain.errors import RegistryError
from monitor.registry import rest
from monitor.registry.rest import Credentials, DeclinedError, RestClient

OK = (200, {}, b'{"a": 1}')


@contextmanager
def answering(*answers, tls=None):
    """Serve answers one after the other, the last one again and again; yield a URL and requests."""
    asked, left = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, self.path, dict(self.headers)))
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the name that the server asks for

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def client(url, *, slept=None, **more):
    pauses = [] if slept is None else slept
    return RestClient(url, timeout=2, sleep=pauses.append, **more)


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
