"""Requests to pages: what is there, what is not, and what is in the way."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from re import fullmatch

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from monitor.domain.errors import ModelmonError, PrunedError
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.snapshot import ModelSnapshot
from monitor.engine.why import about, latest_of, why
from monitor.reports.alerts import AlertLine, Shown, alert_line
from monitor.reports.discretion import redacted
from monitor.reports.evidence import evidence, instant_text, start_text
from monitor.reports.explanation import Explained
from monitor.reports.overview import overview, result_page, state_of
from monitor.reports.wording import window_name
from monitor.web.pages import address, html
from monitor.web.pages.library import Library

NAMED = 10
"""Models, findings or windows that a page which is not there names instead."""

LISTED = 50
"""Models, or results of one, on a page."""

NEWEST = "newest"
"""In the place of a result's number."""

_GRAVITY = ("critical", "warning", "unknown", "ok")

LEAST_DIGITS = 4
"""Of a fingerprint: fewer are a typing error rather than a name."""

_DIGITS = f"[0-9a-f]{{{LEAST_DIGITS},16}}"

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Nothing but the stylesheet: no script, nothing from elsewhere, in no frame."""

_log = logging.getLogger("modelmon")

Parts = tuple[str, ...]


class MissingError(Exception):
    """There is no such page.

    Args:
        sentence: What there is not.
        there_title: What there is instead.
        there: Names of pages that there are, and the parts of their addresses.
    """

    def __init__(
        self, sentence: str, there_title: str = "", there: Sequence[tuple[str, Parts]] = ()
    ) -> None:
        super().__init__(sentence)
        self.there_title = there_title
        self.there = there


class Pages:
    """The pages, made on request from what is stored.

    Args:
        library: What they are made from.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._stylesheet = html.stylesheet()

    def routes(self) -> list[Route]:
        """Return the routes of every page."""
        # Functions that are not coroutines run in a thread: a page holds up no probe.
        return [
            Route("/", self._answer),
            Route("/-/pages.css", self._style),
            Route("/models/{rest:path}", self._answer),
        ]

    def _style(self, request: Request) -> Response:
        return _tagged(request, self._stylesheet, "text/css")

    def _answer(self, request: Request) -> Response:
        parts = address.segments(request.scope.get("raw_path") or request.url.path.encode())
        try:
            return _tagged(request, self._made(parts, request.query_params), "text/html")
        except MissingError as missing:
            root = address.root_of(parts)
            there = [(name, address.address(root, *to)) for name, to in missing.there]
            return _trouble(
                parts, 404, "There is no such page", str(missing), missing.there_title, there
            )
        except PrunedError as error:
            sentence = f"{str(error)[:1].upper()}{str(error)[1:]}."
            return _trouble(parts, 410, "These results were pruned", sentence)
        except ModelmonError as error:
            _log.error("page not made: %s", error, exc_info=error)
            sentence = (
                "The daemon could not read what it has stored, so nothing is known here: neither that all is"
                f" well nor that it is not. {type(error).__name__}: the log of the daemon says more."
            )
            return _trouble(parts, 503, "The results cannot be read now", sentence)

    def _made(self, parts: Parts, asked: Mapping[str, str]) -> bytes:
        match parts:
            case ():
                return self._fleet(parts, asked)
            case ("models", model):
                return self._overview(parts, self._model(model), asked)
            case ("models", model, "findings", fingerprint):
                return self._finding(parts, self._model(model), fingerprint, asked)
            case ("models", model, "runs", start, number):
                return self._result(parts, self._model(model), start, number)
            case _:
                raise MissingError("This address has no page.", "Models", self._models())

    def _fleet(self, parts: Parts, asked: Mapping[str, str]) -> bytes:
        now = self._library.now()
        states = [state_of(shot, now) for shot in self._library.models().values()]
        states.sort(key=lambda item: (not item.firing, _GRAVITY.index(item.verdict), item.model))
        page, pages = _number(asked.get("page", "1")), -(-len(states) // LISTED) or 1
        if page > pages:
            raise MissingError(f"There are {pages} pages of models.", "Models", self._models())
        shown = states[(page - 1) * LISTED : page * LISTED]
        lost = self._library.lost()
        return html.page(
            "fleet.html", parts, states=states, shown=shown, page=page, pages=pages, lost=lost
        )

    def _overview(self, parts: Parts, shot: ModelSnapshot, asked: Mapping[str, str]) -> bytes:
        policy, before = shot.policy, None
        if "before" in asked:
            before = _instant(asked["before"])
            if before is None:
                raise MissingError(f"{asked['before']} is no instant, such as 2024-01-31T00:00Z.")
        lines = self._library.store.run_lines(policy.model, before, LISTED + 1)
        older = instant_text(lines[LISTED - 1].window.end) if len(lines) > LISTED else ""
        made = overview(
            shot,
            lambda run: self._library.small(policy, run),
            lines[:LISTED],
            older,
            self._library.now(),
        )
        return html.page("model.html", parts, it=made)

    def _result(self, parts: Parts, shot: ModelSnapshot, start: str, number: str) -> bytes:
        policy, store = shot.policy, self._library.store
        window = self.window(policy.model, start)
        revisions = store.revisions(policy.model, window)
        revision = revisions[-1].number if number == NEWEST else _number(number)
        run = store.run(policy.model, window, revision)
        if run is None:
            raise MissingError(
                f"{window} has {len(revisions)} results, and none is {revision}.",
                "The newest one",
                [(str(window), ("models", policy.model, "runs", start, NEWEST))],
            )
        recorded = store.recorded_at(run)
        explained = Explained(run, revision, revisions, policy, recorded=recorded)
        made = result_page(explained, self._library.small(policy, run))
        return html.page("run.html", parts, it=made)

    def _models(self) -> list[tuple[str, Parts]]:
        return [(name, ("models", name)) for name in sorted(self._library.models())[:NAMED]]

    def _model(self, name: str) -> ModelSnapshot:
        found = self._library.models().get(name)
        if found is None:
            raise MissingError(f"No model {name} is watched here.", "Models", self._models())
        return found

    def _finding(
        self, parts: Parts, shot: ModelSnapshot, begin: str, asked: Mapping[str, str]
    ) -> bytes:
        policy, store = shot.policy, self._library.store
        fingerprint = self._fingerprint(policy.model, begin)
        window, revision = self._which(policy.model, fingerprint, asked)
        try:
            known = why(store, policy, fingerprint, window, revision)
            told = redacted(
                known, policy, lambda window, number: self._library.small_of(policy, window, number)
            )
        except LookupError as error:
            raise MissingError(
                f"There is no such finding: {error}.",
                "Its newest result",
                [(fingerprint, ("models", policy.model, "findings", fingerprint))],
            ) from error
        origin = self._library.origin(policy, known.run, known.finding)
        later = self._later(policy.model, fingerprint, window)
        made = evidence(told, policy, origin, later)
        return html.page("finding.html", parts, it=made, alert=self._alert(shot, fingerprint))

    def _alert(self, shot: ModelSnapshot, fingerprint: str) -> AlertLine | None:
        """Return the newest alert of a finding; None when it was never beyond a limit."""
        mute, now = shot.mutes.get(fingerprint), self._library.now()
        found = (alert for alert in shot.alerts if alert.fingerprint == fingerprint)
        return next((alert_line(Shown(shot.policy, alert, mute, now)) for alert in found), None)

    def _later(self, model: str, fingerprint: str, window: Window) -> str:
        """Return what is to be said of the windows after one: silence is no good news."""
        heads = self._library.store.heads(model).values()
        after = [head for head in heads if head.window.end > window.end]
        if not after:
            return ""
        judged = latest_of(self._library.store, fingerprint).window
        if judged.end > window.end:
            return f"It was judged again in later windows, last in {window_name(judged)}."
        empty = sum(head.outcome is Outcome.NO_DATA for head in after)
        rows = f", {empty:,} of them without any row" if empty else ""
        return f"{len(after):,} later windows did not judge it{rows}: how it is now is not known."

    def _fingerprint(self, model: str, begin: str) -> str:
        """Return the one fingerprint of a model that begins so."""
        known = (
            self._library.store.fingerprints(begin, NAMED + 1) if fullmatch(_DIGITS, begin) else ()
        )
        subjects = {name: about(self._library.store, name) for name in known[:NAMED]}
        ours = [name for name, (_, subject) in subjects.items() if subject.model == model]
        if len(known) <= NAMED and len(ours) == 1:
            return ours[0]
        if not ours:
            raise MissingError(
                f"Model {model} has no finding {begin}. A finding has 16 hex digits; {LEAST_DIGITS} do"
                " where no other begins so.",
                "The model",
                [(model, ("models", model))],
            )
        raise MissingError(
            f"Several findings begin with {begin}.",
            "Findings that begin so",
            [
                (
                    f"{name} {subjects[name][0]} of {subjects[name][1]}",
                    ("models", model, "findings", name),
                )
                for name in ours
            ],
        )

    def _which(
        self, model: str, fingerprint: str, asked: Mapping[str, str]
    ) -> tuple[Window, int | None]:
        """Return the window that is asked for, the newest one that judged it if none is."""
        revision = None
        if "revision" in asked:
            revision = _number(asked["revision"])
        newest = latest_of(self._library.store, fingerprint).window
        if "window" not in asked:
            return newest, revision
        return self.window(model, asked["window"]), revision

    def window(self, model: str, start: str) -> Window:
        """Return the stored window that starts then.

        Raises:
            MissingError: There is none.
        """
        windows = sorted(
            self._library.store.heads(model), key=lambda window: (window.end, window.start)
        )
        instant = _instant(start)
        found = [window for window in windows if window.start == instant]
        if found:
            return found[-1]
        raise MissingError(
            f"No stored window of model {model} starts at {start}.",
            "Its last windows",
            [
                (str(window), ("models", model, "runs", start_text(window), NEWEST))
                for window in windows[-NAMED:]
            ],
        )


def _number(text: str) -> int:
    if not fullmatch("[1-9][0-9]{0,8}", text):
        raise MissingError(f"{text} is not the number of a result: these are 1, 2, 3 and so on.")
    return int(text)


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tagged(request: Request, body: bytes, media_type: str) -> Response:
    """Return a body with its digest, or that the asker has it already."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": _POLICY,
    }
    known = {
        item.strip().removeprefix("W/")
        for item in request.headers.get("if-none-match", "").split(",")
    }
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _trouble(  # noqa: PLR0917  # what a page of trouble says, in its order
    parts: Parts,
    status: int,
    title: str,
    sentence: str,
    there_title: str = "",
    there: Sequence[tuple[str, str]] = (),
) -> Response:
    body = html.page(
        "trouble.html",
        parts,
        title=title,
        sentence=sentence,
        there_title=there_title,
        there=there,
    )
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(body, status_code=status, headers=headers)
