"""Sites' connections to brokers: what is wanted (`is_active`), how it really is, and its log.

The rows say what is wanted; whoever changes one wakes the reconciler, and where another process
has, the reconciler finds it. What really is, only the reconciler writes. A password goes in and
never comes out.
"""

from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from backend.brokers.address import check, read
from backend.brokers.linkstate import CONNECTED, CONNECTING, DISCONNECTED, ERROR, Address, Report
from backend.database.models import Base, Site, as_rows, database
from backend.errors import NotFound

LOG_ROWS_MAX = 500  # of each connection
PAGE_MAX = 200
LEVELS = ("INFO", "WARNING", "ERROR")
# What those may know of a connection who only watch its site.
_TOLD = ("site", "is_active", "status", "error", "retries", "retry_at", "changed_at")
_ADDRESS = ("host", "port", "username", "password", "tls", "ca")


class MqttConnection(Base):
    """A site's connection to the broker that its boards use. One without a row uses the default.

    `is_active` is what is wanted; `status` (one of LINK_STATUSES), `error`, `retries` and
    `retry_at` are what is so, since `changed_at`.
    """

    site_id: str
    site = ForeignKeyField(Site, primary_key=True, column_name="site", on_delete="CASCADE")
    host = TextField()
    port = IntegerField()
    username = TextField(default="")
    password = TextField(default="")
    tls = BooleanField(default=False)
    ca = TextField(default="")  # PEM; "" for the authorities this system trusts
    is_active = BooleanField(default=False)
    status = TextField(default=DISCONNECTED)
    error = TextField(null=True)
    retries = IntegerField(default=0)
    retry_at = BigIntegerField(null=True)
    changed_at = BigIntegerField()


class MqttConnectionLog(Base):
    """One event of a connection; the newest LOG_ROWS_MAX of each are kept."""

    id = AutoField()
    connection = ForeignKeyField(MqttConnection, column_name="site", on_delete="CASCADE")
    timestamp = BigIntegerField()
    level = TextField()
    message = TextField()
    exception_type = TextField(default="")
    exception_traceback = TextField(default="")
    broker_host = TextField()
    retry_attempt = IntegerField(default=0)


def sites() -> frozenset[str]:
    """The sites that have a connection of their own."""
    return frozenset(row.site_id for row in MqttConnection.select(MqttConnection.site))


def wanted() -> dict[str, Address | None]:
    """{site: where it should be connected to, or None where it should not}."""
    return {
        row.site_id: Address(*(getattr(row, name) for name in _ADDRESS)) if row.is_active else None
        for row in MqttConnection.select()
    }


def find(site: str) -> dict[str, Any]:
    """A site's connection, as the API shows it. Raises NotFound."""
    return _public(_row(site))


def find_all() -> list[dict[str, Any]]:
    """Every connection, by site."""
    return [_public(row) for row in MqttConnection.select().order_by(MqttConnection.site)]


def save(site: str, asked: dict[str, Any], now: int) -> tuple[dict[str, Any], bool]:
    """Make or change a site's connection: (as the API shows it, made?). Raises Invalid.

    `asked`: host, port, and if wanted username, password, tls, ca, is_active. What is not given
    is as when it is new, but password and is_active stay as they are.
    """
    with database.atomic("IMMEDIATE"):
        row = MqttConnection.get_or_none(MqttConnection.site == site)
        known = Address(*(getattr(row, name) for name in _ADDRESS)) if row else None
        address = read(asked, known)
        check(address)
        values = {name: getattr(address, name) for name in _ADDRESS}
        if "is_active" in asked:
            values["is_active"] = asked["is_active"]
        if row is None:
            MqttConnection.insert(site=site, changed_at=now, **values).execute()
        else:
            MqttConnection.update(values).where(MqttConnection.site == site).execute()
        return find(site), row is None


def set_active(site: str, active: bool, who: str, now: int) -> tuple[dict[str, Any], bool]:
    """Wish a connection started or stopped: (it as it still is, changed?). Raises NotFound."""
    with database.atomic("IMMEDIATE"):
        row = _row(site)
        if row.is_active == active:
            return _public(row), False
        MqttConnection.update(is_active=active).where(MqttConnection.site == site).execute()
        _log(row, now, "INFO", f"{who} has asked to {'start' if active else 'stop'} it")
        return find(site), True


def remove(site: str) -> None:
    """Forget a connection and its log: the site's boards use the default. Raises NotFound."""
    if not MqttConnection.delete().where(MqttConnection.site == site).execute():
        raise _unknown(site)


def record(site: str, report: Report, now: int) -> dict[str, Any] | None:
    """Note what became of a connection, in the caller's transaction; how it now is, for pages.

    None where it is there no more.
    """
    row = MqttConnection.get_or_none(MqttConnection.site == site)
    if row is None:
        return None
    failed = report.status == ERROR
    values = {
        "status": report.status,
        "error": report.message if failed else None,
        "retries": report.attempt,
        "retry_at": now + int(report.wait * 1000) if failed else None,
        "changed_at": row.changed_at if row.status == report.status else now,
    }
    MqttConnection.update(values).where(MqttConnection.site == site).execute()
    level = ("WARNING" if report.again else "ERROR") if failed else "INFO"
    _log(row, now, level, report.message, report.attempt, report.exception)
    shown = find(site)
    return {name: shown[name] for name in _TOLD}


def forget_statuses(now: int) -> None:
    """Nothing is connected: this process has just begun, or ends."""
    values = {"status": DISCONNECTED, "error": None, "retries": 0, "retry_at": None}
    stale = MqttConnection.status << (CONNECTING, CONNECTED, ERROR)
    MqttConnection.update(values | {"changed_at": now}).where(stale).execute()


def log_page(site: str, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The log of a connection, newest first, before this id. Raises NotFound."""
    _row(site)
    mine = MqttConnectionLog.connection == site
    where = mine if before is None else mine & (MqttConnectionLog.id < before)
    newest = MqttConnectionLog.select().where(where).order_by(MqttConnectionLog.id.desc())
    return [
        {name: value for name, value in row.items() if name != "connection"}
        for row in as_rows(newest.limit(limit))
    ]


def _row(site: str) -> MqttConnection:
    row = MqttConnection.get_or_none(MqttConnection.site == site)
    if row is None:
        raise _unknown(site)
    assert isinstance(row, MqttConnection)
    return row


def _unknown(site: str) -> NotFound:
    reason = f"the site {site!r} has no connection of its own; make one with PUT"
    return NotFound("unknown_connection", "site", reason)


def _public(row: MqttConnection) -> dict[str, Any]:
    """A connection as the API shows it; times are ms."""
    hidden = ("site", "password")
    names = [one for one in MqttConnection._meta.fields if one not in hidden]
    shown = {name: getattr(row, name) for name in names}
    return {"site": row.site_id, **shown, "has_password": bool(row.password)}


def _log(
    row: MqttConnection,
    now: int,
    level: str,
    message: str,
    attempt: int = 0,
    exception: tuple[str, str] = ("", ""),
) -> None:
    MqttConnectionLog.insert(
        connection=row.site_id,
        timestamp=now,
        level=level,
        message=message,
        exception_type=exception[0],
        exception_traceback=exception[1],
        broker_host=f"{row.host}:{row.port}",
        retry_attempt=attempt,
    ).execute()
    mine = MqttConnectionLog.connection == row.site_id
    newest = MqttConnectionLog.select(MqttConnectionLog.id).where(mine)
    older = newest.order_by(MqttConnectionLog.id.desc()).offset(LOG_ROWS_MAX).limit(1).scalar()
    if older is not None:
        MqttConnectionLog.delete().where(mine & (MqttConnectionLog.id <= older)).execute()
