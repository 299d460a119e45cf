"""What a dialect is: a row of functions and facts. The registry holds one for each.

`exact` dialects carry the command's id, and everything the lifecycle promises holds. For the
others an answer is matched by where it came, and these rules hold instead:
- a command that got no answer in `answer_ms` is sent again only where that is harmless and an
  answer is to be had, at most `retries` times, and then it is UNKNOWN: nobody can be asked;
- what the dialect can't promise stands in `limits`, for people.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol import ProtocolError
from protocol.fields import reason
from protocol.verbs import ANY, DOSE, Case, Verb, check_parameters, check_target

Facts = Mapping[str, Any]  # "board_id", "key", "actuators", "options"
Message = tuple[str, bytes, int]  # topic, payload, QoS
Subscription = tuple[str, int]  # topic pattern, QoS

# What stands in the history beside every step that rests on a guess.
BY_TOPIC = {"correlation": "by topic: this dialect has no command ids"}


@dataclass(frozen=True)
class Dialect:
    """`read(topic, payload, facts)` gives meanings, or for our own the message; raises
    ProtocolError. `write(facts, command)` gives messages, one with no verb for it raises too.

    `patterns(facts of its boards)`: what to subscribe to. `configure(options)`: (actuators,
    options) of a board that can't tell of itself; raises ProtocolError naming the option.
    `silence_ms`: after that a board counts as gone; None: only its last will says so.
    `lease_ms`: after that without a command a board switches all of its outputs off, or None.
    """

    name: str
    read: Callable[[str, bytes, Facts], Any]
    write: Callable[[Facts, dict[str, Any]], list[Message]]
    patterns: Callable[[Iterable[Facts]], list[Subscription]]
    verbs: Mapping[str, Verb]
    configure: Callable[[Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
    exact: bool = False
    silence_ms: int | None = None
    life_s: int = 60
    answer_ms: int = 0
    slow: Mapping[str, int] = field(default_factory=dict)  # verbs that take longer than that
    retries: int = 0
    lease_ms: int | None = None
    mute: frozenset[str] = frozenset()  # verbs that no board is known to answer
    limits: tuple[str, ...] = field(default=())

    def check(
        self, command_type: str, target: str, parameters: Mapping[str, Any], actuators: Facts
    ) -> None:
        """Raises ProtocolError, naming the field, where a board can't be meant to do this."""
        self._verb(command_type)
        if not self.exact:
            self.case(command_type, parameters)
            self._target(command_type, target, actuators)
            return
        check_parameters(command_type, parameters)
        aimed = self.verbs[command_type].actuator is not None or command_type == "stop"
        if actuators or target == "" or not aimed:  # else nobody knows yet
            check_target(command_type, target, actuators)

    def case(self, command_type: str, parameters: Mapping[str, Any]) -> Case:
        """The case that applies, all parameters checked. Raises ProtocolError."""
        case = self._case(command_type, parameters)
        checks = {**case.required, **case.optional}
        for name in case.required:
            if name not in parameters:
                raise _bad(name, "is missing")
        for name, value in parameters.items():
            if name == self.verbs[command_type].choice:
                continue
            check = checks.get(name) or checks.get(ANY)
            why = reason(check, value) if check else f"is no parameter of a {self.name} board"
            if why:
                raise _bad(name, why)
        return case

    def _target(self, command_type: str, target: str, actuators: Facts) -> None:
        need = self.verbs[command_type].actuator
        if need is None and target:
            raise ProtocolError("unknown_target", "target", f"must be empty for {command_type}")
        if need and target not in actuators:
            known = ", ".join(sorted(actuators)) or "none"
            raise ProtocolError("unknown_target", "target", f"must be one this board has: {known}")
        if need and actuators[target].get("kind") != need:
            raise ProtocolError("wrong_target", "target", f"{command_type} needs a {need}")

    def repeatable(self, command_type: str, parameters: Mapping[str, Any]) -> bool:
        """Whether sending it twice is harmless; what this dialect has no word for is not."""
        try:
            return bool(self._case(command_type, parameters).kind != DOSE)
        except ProtocolError:  # of an earlier version, when other things were allowed
            return False

    def _verb(self, command_type: str) -> Verb:
        if command_type in self.verbs:
            return self.verbs[command_type]
        which = "" if self.exact else f", which is what {self.name} boards understand"
        reason = "must be one of " + ", ".join(sorted(self.verbs)) + which
        raise ProtocolError("unknown_type", "command_type", reason)

    def _case(self, command_type: str, parameters: Mapping[str, Any]) -> Case:
        verb = self._verb(command_type)
        case: Case | None = verb.cases.get(parameters.get(verb.choice) if verb.choice else None)
        if case is None:
            raise _bad(str(verb.choice), "must be one of " + ", ".join(sorted(verb.cases)))
        return case


def nothing_to_configure(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`configure` of a dialect whose boards tell all of themselves."""
    if options:
        raise ProtocolError("bad_parameter", f"options.{min(options)[:64]}", "is unknown")
    return {}, {}


def _bad(name: str, why: str) -> ProtocolError:
    return ProtocolError("bad_parameter", f"parameters.{name[:64]}", why)
