from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class BlockFileHeader(_message.Message):
    __slots__ = ("format", "version", "genesis_hash", "hash", "first_height", "last_height")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENESIS_HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    FIRST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LAST_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    format: str
    version: int
    genesis_hash: bytes
    hash: str
    first_height: int
    last_height: int
    def __init__(self, format: _Optional[str] = ..., version: _Optional[int] = ..., genesis_hash: _Optional[bytes] = ..., hash: _Optional[str] = ..., first_height: _Optional[int] = ..., last_height: _Optional[int] = ...) -> None: ...
