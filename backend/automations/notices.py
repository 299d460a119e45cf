"""What people are told of rules: pages that something has changed, and alerts.

A rule with `notify` has an alert open while its limit is crossed; every rule has one while its
sensor is silent.
"""

from backend.automations.models import BELOW, Automation
from backend.database.models import Board
from backend.delivery.work import Work
from backend.fleet import alerts


def tell(work: Work, rule: Automation) -> None:
    """Pages that show the rule ask for it anew."""
    event = ("automation", {"id": rule.id, "site": site_of(rule.board_id)})
    if event not in work.out.news:
        work.out.news.append(event)


def site_of(board_id: str) -> str | None:
    """The site of a board, or None."""
    found = Board.get_or_none(Board.id == board_id)
    return found.site if found else None


def begin(work: Work, rule: Automation, last: tuple[int, float] | None) -> None:
    """The limit is crossed."""
    if rule.notify:
        value = f" ({last[1]:g})" if last else ""
        _begin(work, rule, "automation", f"{rule.sensor} is {limit_of(rule)}{value}")


def end(work: Work, rule: Automation) -> None:
    """It is no more."""
    alerts.end_other(work, f"automation/{rule.id}")


def begin_silence(work: Work, rule: Automation) -> None:
    """The sensor has said nothing for too long."""
    _begin(work, rule, "silent", f"{rule.sensor} has said nothing for {rule.silent_s} s")


def end_silence(work: Work, rule: Automation) -> None:
    """It was heard again."""
    alerts.end_other(work, f"silent/{rule.id}")


def limit_of(rule: Automation) -> str:
    """ "below 4", or the name of the board's own limit."""
    if rule.limit_name:
        return f"beyond {rule.limit_name}"
    return f"{'below' if rule.comparison == BELOW else 'above'} {rule.at:g}"


def _begin(work: Work, rule: Automation, kind: str, text: str) -> None:
    site = site_of(rule.board_id)
    alerts.begin_other(work, f"{kind}/{rule.id}", rule.board_id, site, f"{rule.name}: {text}")
