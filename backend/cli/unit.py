"""A unit for systemd: the backend as a service, with nothing it does not need."""

import shlex
import sys
from pathlib import Path

PARTS = ("serve", "worker", "web")

_UNIT = """\
# /etc/systemd/system/{file}
# {how}
[Unit]
Description=Answerback ({part})
After=network-online.target{after}
Wants=network-online.target

[Service]
Type=exec
User=answerback
WorkingDirectory={folder}
# Settings stand in answerback.toml there; passwords may stand in this file (mode 0600).
EnvironmentFile=-/etc/answerback.env
ExecStart={command}
Restart=always
RestartSec=2
# It ends by itself within five seconds.
TimeoutStopSec=15
KillMode=mixed
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


def text(part: str) -> str:
    """The unit that runs one of PARTS with this Python, in this folder."""
    file, words, after = f"answerback-{part}.service", [part], ""
    how = f"systemctl daemon-reload; systemctl enable --now {file}"
    if part == "web":
        file, words = "answerback-web@.service", ["web", "--port", "%i"]
        how = "One for each port: systemctl enable --now answerback-web@8081 answerback-web@8082"
        after = " answerback-worker.service"
    command = shlex.join([_escaped(sys.executable), "-m", "backend", *words])
    folder = _escaped(str(Path.cwd()))
    return _UNIT.format(
        file=file, how=how, part=part, after=after, folder=folder, command=command
    ).rstrip()


def _escaped(path: str) -> str:
    return path.replace("%", "%%")
