"""What the doctor says of the registry, of the models in it and of its webhook."""

import json

import pytest

from monitor.domain.settings import RegistrySettings
from monitor.registry.examined import examine_registry
from tests.answers import answering
from tests.registries import governed

SECRET = "0123456789abcdef" * 4  # of these tests
FOUND = {"registered_models": []}
MODEL = {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}
VERSIONS = {"model_versions": [{"version": "2", "creation_timestamp": 0}]}
RUNS = {"model_versions": [{"version": "2", "creation_timestamp": 0, "run_id": "r"}]}
HOOK = {
    "name": "modelmon",
    "url": "https://monitor.example/v1/registry/webhook",
    "status": "ACTIVE",
    "events": [
        {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
        {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"},
    ],
}
ABSENT = (404, {}, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}')


def said(content):
    return 200, {}, json.dumps(content).encode()


def seen(*answers, secret="", policies=None):
    with answering(*answers) as (url, _):
        settings = RegistrySettings(url, webhook_secret=secret)
        return list(examine_registry(settings, [governed()] if policies is None else policies))


def test_without_a_registry_only_models_that_want_one_are_told_of():
    (only,) = examine_registry(None, [governed()])
    assert (only.condition, only.of) == ("warn", "credit")
    assert "credit-approval" in only.found
    assert list(examine_registry(None, [])) == []


def test_a_registry_that_has_the_model_is_well():
    one, model = seen(said(FOUND), said(MODEL), said(VERSIONS))
    assert (one.condition, model.condition) == ("ok", "ok")
    assert model.found == "credit-approval has 1 versions; champion names 2"


@pytest.mark.parametrize(
    ("answers", "condition", "text"),
    [
        ((said({"registered_model": {}}), said(VERSIONS)), "warn", "no alias champion"),
        ((said(MODEL), said(RUNS), (403, {}, b"no")), "warn", "whose run we may not read"),
        ((ABSENT,), "fail", "no model credit-approval"),
        (((403, {}, b"Permission denied"),), "fail", "403 Permission denied"),
    ],
)
def test_a_model_that_is_not_as_its_file_wants_it_is_told_of(answers, condition, text):
    _, model = seen(said(FOUND), *answers)
    assert (model.condition, model.of) == (condition, "credit")
    assert text in model.found and model.advice


def test_a_registry_that_refuses_us_is_a_failure_and_nothing_more_is_asked():
    (only,) = seen((401, {}, b"who are you"))
    assert only.condition == "fail" and "is the token or the password right?" in only.found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (said({}), "no webhook to"),
        (said({"webhooks": [{**HOOK, "url": "https://elsewhere.example/"}]}), "no webhook to"),
        (said({"webhooks": [{**HOOK, "status": "DISABLED"}]}), "is DISABLED"),
        (
            said({"webhooks": [{**HOOK, "events": HOOK["events"][:1]}]}),
            "MODEL_VERSION_ALIAS DELETED",
        ),
        ((500, {}, b"InvalidToken"), "without the key of their secrets"),
        ((403, {}, b"Permission denied"), "only an administrator"),
        ((404, {}, b"Not found"), "404"),
    ],
)
def test_a_webhook_that_would_not_tell_us_is_a_warning(answer, text):
    *_, hook = seen(said(FOUND), answer, secret=SECRET, policies=[])
    assert (hook.what, hook.condition) == ("registry webhook", "warn")
    assert text in hook.found and hook.advice


def test_a_webhook_that_would_tell_us_is_well_and_a_short_secret_is_not():
    *_, hook = seen(said(FOUND), said({"webhooks": [HOOK]}), secret=SECRET, policies=[])
    assert (hook.condition, hook.found) == ("ok", "modelmon says when an alias is moved")
    *_, hook = seen(said(FOUND), said({"webhooks": [HOOK]}), secret=SECRET[:6], policies=[])
    assert hook.condition == "warn" and "6 characters" in hook.found
    assert SECRET[:6] not in hook.found + hook.advice
