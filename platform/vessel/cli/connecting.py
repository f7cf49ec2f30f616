"""The connection to a node that a command's options describe."""

from __future__ import annotations

import os
from pathlib import Path

from vessel.cli.options import TOKEN_VARIABLE
from vessel.client.node import NodeClient
from vessel.client.security import PUBLIC, read_token


def connect(address: str, tls_ca: str | None = None, token_file: Path | None = None) -> NodeClient:
    """Return a client for `--node`, `--tls-ca` and `--token-file`.

    Without a token file the environment variable VESSEL_TOKEN is the token, if it is set.
    """
    token = read_token(token_file) if token_file is not None else os.environ.get(TOKEN_VARIABLE) or None
    authorities = Path(tls_ca) if tls_ca not in (None, "", PUBLIC) else None
    return NodeClient(address, tls=tls_ca == PUBLIC or authorities or False, token=token)
