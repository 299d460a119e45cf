"""The API's description is valid, and tells of the routes there are: no more and no fewer."""

import re
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from protocol.catalogue import VERBS

from backend.people.credentials import Credential
from backend.web.http import BODY_MAX
from backend.web.openapi import DOCUMENT
from tests.backend.running import eventually
from tests.web.site import Client, Site

PAGE = {("GET", "/"), ("GET", "/page/{name}"), ("GET", "/lifecycle")}


def validator(name: str) -> OAS31Validator:
    wanted = {"$ref": f"#/components/schemas/{name}"}
    return OAS31Validator({**wanted, "components": DOCUMENT["components"]})


def test_it_is_valid_and_served(site: Site) -> None:
    served = site.client().call("GET", "openapi.json").json
    validate(served)
    assert served["openapi"] == "3.1.0"


def test_it_has_the_routes_and_no_others(site: Site) -> None:
    routes = {(r.method, re.sub(r"<(\w+)(:path)?>", r"{\1}", r.rule)) for r in site.app.routes}
    paths: dict[str, Any] = DOCUMENT["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes - PAGE == told
    assert routes >= PAGE


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("session", "Session"),
        ("boards", "Boards"),
        ("boards/pond", "Board"),
        ("verbs", "Verbs"),
        ("tokens", "Tokens"),
        ("users", "Users"),
        ("users/admin", "User"),
        ("audit", "Audit"),
        ("commands", "Commands"),
        ("topics", "Topics"),
        ("parsing-log", "ParsingLog"),
        ("/health", "Health"),
        ("health", "HealthInFull"),
        ("health/summary", "Summary"),
        ("stats", "Stats"),
        ("stats?by=site&hours=1", "Stats"),
        ("alerts", "Alerts"),
        ("boards/pond/downtimes", "Downtimes"),
        ("boards/pond/messages", "Messages"),
        ("pictures", "NewestPictures"),
        ("boards/pond/pictures", "Pictures"),
        ("scenes", "Scenes"),
        ("scenes/described", "SceneWithFile"),
        ("scene-runs", "SceneRuns"),
        ("scene-runs/1", "SceneRunWithSteps"),
        ("boards/none", "Problem"),
        ("releases", "Releases"),
        ("rollouts", "Rollouts"),
    ],
)
def test_answers_are_as_described(program: Client, path: str, name: str) -> None:
    program.feed()
    if path == "scenes":
        say = {"at": 0, "topic": "room1/light", "message": "ON"}
        made = program.call("POST", "scenes", {"id": "described", "scene": [say]}).json
        validator("SavedScene").validate(made)
        validator("SceneRun").validate(program.call("POST", "scenes/described/start").json)
        found = program.call("POST", "scenes/validate", {"scene": {}}).json
        validator("SceneCheck").validate(found)
    validator(name).validate(program.call("GET", path).json)


def test_a_command_and_its_history_are_as_described(site: Site, program: Client) -> None:
    posted = program.feed().json
    validator("Command").validate(posted)
    shown = program.call("GET", f"commands/{posted['id']}").json
    validator("CommandWithHistory").validate(shown)
    described = DOCUMENT["components"]["schemas"]["CommandWithHistory"]["properties"]
    assert set(described) == set(shown)


def test_a_token_is_as_described_and_says_when_it_was_used(program: Client) -> None:
    made = program.call("POST", "tokens", {"name": "described"}).json
    validator("TokenWithSecret").validate(made)
    assert made["seen_at"] is None
    used = [row for row in program.call("GET", "tokens").json["tokens"] if row["name"] == "tests"]
    assert eventually(lambda: used[0]["seen_at"])
    assert Credential.select().count() > 1


def test_what_may_be_posted_follows_the_verbs() -> None:
    new = validator("NewCommand")
    posted = [one for one, verb in VERBS.items() if not verb.internal]
    shapes = DOCUMENT["components"]["schemas"]["NewCommand"]["oneOf"]
    assert [shape["properties"]["command_type"]["const"] for shape in shapes] == posted
    good = {"board_id": "pond", "command_type": "water", "target": "valve1"}
    assert new.is_valid({**good, "parameters": {"action": "fill", "seconds": 5}})
    assert new.is_valid({**good, "parameters": {"action": "stop"}})
    assert new.is_valid({**good, "parameters": {"action": "drain", "amount": 250}})
    assert not new.is_valid({**good, "parameters": {"action": "fill"}})
    both = {"action": "fill", "seconds": 5, "amount": 250}
    assert not new.is_valid({**good, "parameters": both})
    assert not new.is_valid({**good, "parameters": {"action": "stop", "seconds": 5}})
    assert not new.is_valid({**good, "command_type": "query"})


@pytest.mark.parametrize(
    ("command_type", "target", "valid"),
    [
        ("ping", "", True),
        ("ping", "feeder1", False),
        ("emergency_stop", "feeder1", False),
        ("stop", "feeder1", True),
        ("stop", "", True),
        ("feed", "", False),
        ("feed", "feeder1", True),
    ],
)
def test_a_target_is_for_what_has_one(
    program: Client, command_type: str, target: str, valid: bool
) -> None:
    body: dict[str, Any] = {"board_id": "pond", "command_type": command_type, "target": target}
    if command_type == "feed":
        body["parameters"] = {"amount": 1}
    assert validator("NewCommand").is_valid(body) == valid
    assert program.call("POST", "commands", body).status == (202 if valid else 400)


def test_every_refusal_is_described(program: Client, site: Site) -> None:
    kind = {"Content_Type": "text/plain"}
    for method, path, operation in (
        ("DELETE", "session", "signOut"),
        ("DELETE", "tokens/1", "revokeToken"),
        ("POST", "commands", "postCommand"),
        ("POST", "commands/x/cancel", "cancelCommand"),
    ):
        told = described(operation)
        for body, status in ((b"x", 415), (b" " * (BODY_MAX + 1), 413)):
            assert program.call(method, path, body, **kind).status == status
            assert str(status) in told
        assert {"400", "401", "503"} <= set(told)
    assert {"Retry-After"} == set(described("postCommand")["503"]["headers"])


def described(operation: str) -> dict[str, Any]:
    """The answers of an operation."""
    methods: list[Any] = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    (found,) = [one for one in methods if one["operationId"] == operation]
    return dict(found["responses"])
