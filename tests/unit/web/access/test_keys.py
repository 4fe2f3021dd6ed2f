"""An issuer's keys: kept, exchanged, and used for a while when the issuer is away."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from monitor.web.access.keys import FRESH, PAUSE, STALE, IssuerKeys, KeysError, fetcher
from tests.issuer import KEYS, NOW, OTHER, RSA, jwk, key_set


class Away:
    """An issuer that can be changed, and that can be gone."""

    def __init__(self, body=KEYS):
        self.body, self.asked, self.at = body, 0, NOW
        self.keys = IssuerKeys(self.fetch, lambda: self.at)

    def fetch(self):
        self.asked += 1
        if self.body is None:
            raise OSError("no way there")
        return self.body

    def later(self, by):
        self.at += by


def test_they_are_asked_for_once_an_hour():
    issuer = Away()
    for _ in range(5):
        assert issuer.keys.key("rsa", "RS256")
    issuer.later(FRESH - timedelta(seconds=1))
    issuer.keys.key("ec", "ES256")
    assert issuer.asked == 1
    issuer.later(timedelta(seconds=1))
    issuer.keys.key("rsa", "RS256")
    assert issuer.asked == 2


def test_a_new_key_is_found_at_once_and_an_old_one_ends_within_the_hour():
    issuer = Away()
    issuer.keys.key("rsa", "RS256")
    issuer.body = key_set(jwk(OTHER, "new", "RS256"))
    issuer.later(PAUSE)
    assert issuer.keys.key("new", "RS256")
    with pytest.raises(KeysError, match="not one of the issuer's"):
        issuer.keys.key("rsa", "RS256")


def test_unknown_names_ask_the_issuer_twice_a_minute_at_most():
    issuer = Away()
    for place in range(100):
        with pytest.raises(KeysError):
            issuer.keys.key(f"nobody {place}", "RS256")
    assert issuer.asked == 1


def test_a_known_key_does_not_wait_for_an_issuer_that_is_slow():
    issuer, asked, go_on = Away(), threading.Event(), threading.Event()
    issuer.keys.key("rsa", "RS256")
    issuer.later(FRESH)

    def slowly():
        asked.set()
        assert go_on.wait(60)
        return KEYS

    issuer.keys._fetch = slowly
    first = threading.Thread(target=issuer.keys.key, args=("rsa", "RS256"))
    first.start()
    assert asked.wait(60)
    assert issuer.keys.key("rsa", "RS256"), "nobody else has to wait"
    assert first.is_alive()
    go_on.set()
    first.join(60)


def test_while_the_issuer_is_away_known_keys_are_used_for_a_day():
    issuer = Away()
    issuer.keys.key("rsa", "RS256")
    issuer.body = None
    issuer.later(STALE - timedelta(seconds=1))
    assert issuer.keys.key("rsa", "RS256")
    issuer.later(timedelta(seconds=1))
    with pytest.raises(KeysError, match="cannot be had: OSError: no way there"):
        issuer.keys.key("rsa", "RS256")
    issuer.later(PAUSE)
    issuer.body = KEYS
    assert issuer.keys.key("rsa", "RS256")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": {}}', b"<html>", b"\xff"])
def test_what_is_no_key_set_is_said(body):
    with pytest.raises(KeysError, match="cannot be had"):
        Away(body).keys.key("rsa", "RS256")


def test_a_secret_in_the_set_is_no_key():
    shared = {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"}
    issuer = Away(key_set(shared, jwk(RSA, "enc", "RS256", use="enc"), jwk(RSA, "rsa", "RS256")))
    for name in ("oct", "enc"):
        with pytest.raises(KeysError, match="not one of the issuer's"):
            issuer.keys.key(name, "RS256")


def test_a_key_that_is_broken_is_said():
    issuer = Away(key_set({"kty": "RSA", "kid": "rsa", "n": "!", "e": ""}))
    with pytest.raises(KeysError, match="cannot be used"):
        issuer.keys.key("rsa", "RS256")


@pytest.fixture
def server():
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", "/keys")
                self.end_headers()
                return
            body = KEYS if self.path == "/keys" else b" " * 1_000_001
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    running = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.mark.slow
def test_they_come_over_http_from_where_the_settings_say(server):
    assert fetcher(f"{server}/keys")() == KEYS
    with pytest.raises(OSError, match="leads elsewhere"):
        fetcher(f"{server}/elsewhere")()
    with pytest.raises(ValueError, match="more than 1,000,000 bytes"):
        fetcher(f"{server}/long")()


def test_they_come_from_a_file(tmp_path):
    (tmp_path / "keys.json").write_bytes(KEYS)
    assert fetcher(str(tmp_path / "keys.json"))() == KEYS
    assert IssuerKeys(fetcher(str(tmp_path / "keys.json")), lambda: NOW).key("rsa", "RS256")
