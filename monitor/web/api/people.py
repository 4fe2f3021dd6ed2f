"""``/v1/me`` and ``/v1/tokens``: who asks, what they may, and tokens, made and revoked."""

from pydantic import AwareDatetime, Field

from monitor.domain.errors import RefusedError
from monitor.domain.role import Role
from monitor.engine.decisions import actor_of
from monitor.engine.token_giving import give
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import WITHOUT_MODEL, Action, authorise, roles_of
from monitor.governance.tokens import Token, Wanted
from monitor.web.api.endpoint import Answer, Asked, Body, Endpoint, MissingError, Reason


class Myself(Answer):
    """Who asks, and what they may."""

    account: str
    method: str
    authenticated_at: AwareDatetime | None
    roles: list[str]
    models: dict[str, list[str]]
    actions: dict[str, list[str]]


class TokenKnown(Answer):
    """A token; nobody sees its secret."""

    id: str
    state: str
    holder: str
    purpose: str
    roles: list[str]
    models: list[str] | None
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None
    revoked_by: str
    used_at: AwareDatetime | None


class TokenMade(TokenKnown):
    """A token that was just made; its text is told this once."""

    token: str | None = Field(
        description="what a client sends after Bearer; null to who sends the same request again"
    )


class TokenWanted(Body):
    """A token that somebody wants."""

    holder: str = Field(description="the account that it is for, as policies name people")
    purpose: str = Field(description="what it is for, in words; kept, and in the audit log")
    roles: list[Role] = Field(description="what it is for", min_length=1, strict=False)
    models: list[str] | None = Field(None, description="only these models; null for all")
    expires: AwareDatetime = Field(description="until when it holds")


class TokensKnown(Answer):
    """Every token that there ever was."""

    tokens: list[TokenKnown]


def _myself(asked: Asked) -> Myself:
    who, models = asked.who, asked.desk.models()
    own = {name: roles_of(who, known.policy) for name, known in models.items()}
    return Myself(
        account=who.account,
        method=who.method.value,
        authenticated_at=who.authenticated_at,
        roles=sorted(roles_of(who)),
        models={name: sorted(roles) for name, roles in own.items() if roles},
        actions={name: _actions(asked, name) for name, roles in own.items() if roles},
    )


def _actions(asked: Asked, model: str) -> list[str]:
    policy = asked.desk.models()[model].policy
    may = []
    for action in set(Action) - WITHOUT_MODEL:
        try:
            authorise(asked.who, action, policy, asked.at)
        except NotAllowedError:
            continue
        may.append(action.value)
    return sorted(may)


def _listed(asked: Asked) -> TokensKnown:
    return TokensKnown(tokens=[_shown(token, asked) for token in asked.desk.access.tokens()])


def _given(asked: Asked) -> TokenMade:
    body: TokenWanted = asked.body
    strange = sorted({*(body.models or ())} - asked.desk.models().keys())
    if strange:
        raise RefusedError((f"no model of this name is watched here: {', '.join(strange)}",))
    wanted = Wanted(
        body.holder,
        body.purpose,
        frozenset(body.roles),
        None if body.models is None else frozenset(body.models),
        body.expires - asked.at,
    )
    token, text = give(wanted, asked.who, asked.desk.access, asked.at)
    return TokenMade(**_shown(token, asked).model_dump(), token=text)


def _without_secret(answer: Answer) -> Answer:
    return answer.model_copy(update={"token": None})


def _revoked(asked: Asked) -> TokenKnown:
    authorise(asked.who, Action.MANAGE_TOKENS, None, asked.at)
    public, access = asked.parts["token"], asked.desk.access
    if access.token(public) is None:
        raise MissingError("there is no such token; its id is what stands after mon_")
    body: Reason = asked.body
    actor = actor_of(asked.who)
    return _shown(access.revoke(public, asked.who.account, actor, asked.at, body.why), asked)


def _shown(token: Token, asked: Asked) -> TokenKnown:
    return TokenKnown(
        id=token.id,
        state=token.state(asked.at),
        holder=token.holder,
        purpose=token.purpose,
        roles=sorted(token.roles),
        models=None if token.models is None else sorted(token.models),
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        revoked_by=token.revoked_by,
        used_at=token.used_at,
    )


ENDPOINTS = (
    Endpoint("GET", "/v1/me", None, "Who asks, and what they may do.", Myself, _myself),
    Endpoint(
        "GET",
        "/v1/tokens",
        Action.LIST_TOKENS,
        "Every token that there ever was; nobody sees a secret.",
        TokensKnown,
        _listed,
    ),
    Endpoint(
        "POST",
        "/v1/tokens",
        Action.MANAGE_TOKENS,
        "Make a token; its text is told this once.",
        TokenMade,
        _given,
        TokenWanted,
        kept=_without_secret,
    ),
    Endpoint(
        "POST",
        "/v1/tokens/{token}/revoke",
        Action.MANAGE_TOKENS,
        "Revoke a token at once.",
        TokenKnown,
        _revoked,
        Reason,
    ),
)
