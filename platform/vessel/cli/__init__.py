"""The command `vessel`: its commands, what they show and what their exit status means."""

import os

# gRPC's core writes faults of its own to standard error, beside the message that a command gives. It reads
# this when it is first imported, which any module of this package may do.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
