"""What one message and its metadata may weigh: the same for the server and whoever asks it from inside."""

from __future__ import annotations

from vessel.config import METADATA_SIZE_BYTES

MAX_MESSAGE_SIZE_BYTES = 64 << 20

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
    ("grpc.max_metadata_size", METADATA_SIZE_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * METADATA_SIZE_BYTES),
    ("grpc.enable_http_proxy", 0),
)
SERVER_OPTIONS = (
    *CHANNEL_OPTIONS,
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a share of it
)
