from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MineRequest(_message.Message):
    __slots__ = ("blocks", "interval_ms")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    blocks: int
    interval_ms: int
    def __init__(self, blocks: _Optional[int] = ..., interval_ms: _Optional[int] = ...) -> None: ...

class MineResponse(_message.Message):
    __slots__ = ("height",)
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    def __init__(self, height: _Optional[int] = ...) -> None: ...

class SetMiningRequest(_message.Message):
    __slots__ = ("mode", "interval_ms")
    MODE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    interval_ms: int
    def __init__(self, mode: _Optional[str] = ..., interval_ms: _Optional[int] = ...) -> None: ...

class SetMiningResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotResponse(_message.Message):
    __slots__ = ("snapshot", "height")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    snapshot: int
    height: int
    def __init__(self, snapshot: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class RevertRequest(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: int
    def __init__(self, snapshot: _Optional[int] = ...) -> None: ...

class RevertResponse(_message.Message):
    __slots__ = ("height",)
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    def __init__(self, height: _Optional[int] = ...) -> None: ...

class SetNextBlockTimeRequest(_message.Message):
    __slots__ = ("time_ms",)
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    time_ms: int
    def __init__(self, time_ms: _Optional[int] = ...) -> None: ...

class SetNextBlockTimeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IncreaseTimeRequest(_message.Message):
    __slots__ = ("by_ms",)
    BY_MS_FIELD_NUMBER: _ClassVar[int]
    by_ms: int
    def __init__(self, by_ms: _Optional[int] = ...) -> None: ...

class IncreaseTimeResponse(_message.Message):
    __slots__ = ("offset_ms",)
    OFFSET_MS_FIELD_NUMBER: _ClassVar[int]
    offset_ms: int
    def __init__(self, offset_ms: _Optional[int] = ...) -> None: ...

class SetBalanceRequest(_message.Message):
    __slots__ = ("address", "balance")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    balance: bytes
    def __init__(self, address: _Optional[bytes] = ..., balance: _Optional[bytes] = ...) -> None: ...

class WriteStateRequest(_message.Message):
    __slots__ = ("writes",)
    WRITES_FIELD_NUMBER: _ClassVar[int]
    writes: _containers.RepeatedCompositeFieldContainer[StateWrite]
    def __init__(self, writes: _Optional[_Iterable[_Union[StateWrite, _Mapping]]] = ...) -> None: ...

class StateWrite(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    def __init__(self, key: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class DevResponse(_message.Message):
    __slots__ = ("height", "transaction_id")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    height: int
    transaction_id: bytes
    def __init__(self, height: _Optional[int] = ..., transaction_id: _Optional[bytes] = ...) -> None: ...

class ImpersonateRequest(_message.Message):
    __slots__ = ("container", "sender", "raw", "wait", "timeout_ms")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    container: str
    sender: bytes
    raw: bytes
    wait: bool
    timeout_ms: int
    def __init__(self, container: _Optional[str] = ..., sender: _Optional[bytes] = ..., raw: _Optional[bytes] = ..., wait: _Optional[bool] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class ImpersonateResponse(_message.Message):
    __slots__ = ("id", "height")
    ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    height: int
    def __init__(self, id: _Optional[bytes] = ..., height: _Optional[int] = ...) -> None: ...
