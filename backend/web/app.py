"""Puts the web side together: every route, on one bottle application."""

import bottle

from backend.fleet.twins import Twins
from backend.people.accounts import Accounts
from backend.rollouts import releases
from backend.service import Backend
from backend.settings import Settings
from backend.web import openapi, routes
from backend.web.auth import Authenticator
from backend.web.automations import AutomationRoutes
from backend.web.boards import BoardRoutes
from backend.web.bulk import BulkRoutes
from backend.web.commands import CommandRoutes
from backend.web.connections import ConnectionRoutes
from backend.web.http import Answer, Call
from backend.web.metrics import MetricsRoutes
from backend.web.pages import PageRoutes
from backend.web.people import AuditRoutes, PeopleRoutes
from backend.web.pictures import PictureRoutes
from backend.web.provisioning import ProvisioningRoutes
from backend.web.readings import ReadingRoutes
from backend.web.releases import ReleaseRoutes
from backend.web.rollouts import RolloutRoutes
from backend.web.routes import API, Route
from backend.web.scenes import SceneRoutes
from backend.web.schedules import ScheduleRoutes
from backend.web.sessions import SessionRoutes, TokenRoutes
from backend.web.sites import SiteRoutes
from backend.web.stream import StreamRoutes
from backend.web.tokens import NamedTokenRoutes
from backend.web.topics import TopicRoutes
from backend.web.upkeep import UpkeepRoutes


def make_app(backend: Backend, accounts: Accounts, settings: Settings) -> bottle.Bottle:
    """The WSGI application."""
    authenticator = Authenticator(accounts, settings.secure_cookies)
    app = bottle.Bottle()
    app.default_error_handler = routes.send_bottles_error
    for group in (
        SessionRoutes(accounts, authenticator),
        TokenRoutes(accounts),
        NamedTokenRoutes(accounts),
        PeopleRoutes(accounts, backend),
        AuditRoutes(),
        BoardRoutes(backend),
        ProvisioningRoutes(backend, settings.address),
        SiteRoutes(backend),
        CommandRoutes(backend, Twins(settings.twin_command)),
        PictureRoutes(backend, settings.data_dir / "images"),
        ConnectionRoutes(backend),
        StreamRoutes(backend, authenticator),
        UpkeepRoutes(backend),
        ReadingRoutes(backend),
        MetricsRoutes(backend, authenticator, settings),
        TopicRoutes(backend),
        AutomationRoutes(backend),
        ReleaseRoutes(backend, settings.data_dir / releases.FOLDER),
        RolloutRoutes(backend, settings.firmware_address),
        ScheduleRoutes(backend),
        BulkRoutes(backend),
        SceneRoutes(backend),
        PageRoutes(),
    ):
        for route in group.routes():
            routes.add(app, route, authenticator)
    routes.add(app, Route("GET", f"{API}/openapi.json", _describe, public=True), authenticator)
    return app


def _describe(call: Call) -> Answer:
    """The API's description."""
    return Answer(openapi.DOCUMENT)
