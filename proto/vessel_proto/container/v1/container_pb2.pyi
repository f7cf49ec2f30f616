from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_GENESIS: _ClassVar[Mode]
    MODE_BUILD: _ClassVar[Mode]
    MODE_REPLAY: _ClassVar[Mode]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OK: _ClassVar[Status]
    STATUS_REVERTED: _ClassVar[Status]
    STATUS_OUT_OF_GAS: _ClassVar[Status]
    STATUS_TRAP: _ClassVar[Status]
    STATUS_INVALID: _ClassVar[Status]
    STATUS_DENIED: _ClassVar[Status]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_COMMIT: _ClassVar[Outcome]
    OUTCOME_ABORT: _ClassVar[Outcome]
MODE_UNSPECIFIED: Mode
MODE_GENESIS: Mode
MODE_BUILD: Mode
MODE_REPLAY: Mode
STATUS_UNSPECIFIED: Status
STATUS_OK: Status
STATUS_REVERTED: Status
STATUS_OUT_OF_GAS: Status
STATUS_TRAP: Status
STATUS_INVALID: Status
STATUS_DENIED: Status
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_COMMIT: Outcome
OUTCOME_ABORT: Outcome

class HostFrames(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[HostFrame]
    def __init__(self, frames: _Optional[_Iterable[_Union[HostFrame, _Mapping]]] = ...) -> None: ...

class ContainerFrames(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[ContainerFrame]
    def __init__(self, frames: _Optional[_Iterable[_Union[ContainerFrame, _Mapping]]] = ...) -> None: ...

class RegisterRequest(_message.Message):
    __slots__ = ("protocol_major", "protocol_minor", "name", "version", "token", "listen_address", "capabilities", "recent_ids")
    PROTOCOL_MAJOR_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MINOR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LISTEN_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    RECENT_IDS_FIELD_NUMBER: _ClassVar[int]
    protocol_major: int
    protocol_minor: int
    name: str
    version: str
    token: str
    listen_address: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    recent_ids: int
    def __init__(self, protocol_major: _Optional[int] = ..., protocol_minor: _Optional[int] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., token: _Optional[str] = ..., listen_address: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., recent_ids: _Optional[int] = ...) -> None: ...

class RegisterResponse(_message.Message):
    __slots__ = ("protocol_minor", "enabled")
    PROTOCOL_MINOR_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    protocol_minor: int
    enabled: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, protocol_minor: _Optional[int] = ..., enabled: _Optional[_Iterable[str]] = ...) -> None: ...

class ConfigureRequest(_message.Message):
    __slots__ = ("parameters_json", "chain_id", "genesis_hash", "forks", "cache_bytes", "namespace", "reserved_prefix", "instance", "hash_name")
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    GENESIS_HASH_FIELD_NUMBER: _ClassVar[int]
    FORKS_FIELD_NUMBER: _ClassVar[int]
    CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    RESERVED_PREFIX_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    HASH_NAME_FIELD_NUMBER: _ClassVar[int]
    parameters_json: bytes
    chain_id: int
    genesis_hash: bytes
    forks: _containers.RepeatedCompositeFieldContainer[Fork]
    cache_bytes: int
    namespace: int
    reserved_prefix: bytes
    instance: str
    hash_name: str
    def __init__(self, parameters_json: _Optional[bytes] = ..., chain_id: _Optional[int] = ..., genesis_hash: _Optional[bytes] = ..., forks: _Optional[_Iterable[_Union[Fork, _Mapping]]] = ..., cache_bytes: _Optional[int] = ..., namespace: _Optional[int] = ..., reserved_prefix: _Optional[bytes] = ..., instance: _Optional[str] = ..., hash_name: _Optional[str] = ...) -> None: ...

class Fork(_message.Message):
    __slots__ = ("name", "height")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    name: str
    height: int
    def __init__(self, name: _Optional[str] = ..., height: _Optional[int] = ...) -> None: ...

class ConfigureResponse(_message.Message):
    __slots__ = ("schema_version", "engine_digest")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    engine_digest: bytes
    def __init__(self, schema_version: _Optional[int] = ..., engine_digest: _Optional[bytes] = ...) -> None: ...

class KeySet(_message.Message):
    __slots__ = ("keys", "ranges")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    ranges: _containers.RepeatedCompositeFieldContainer[Range]
    def __init__(self, keys: _Optional[_Iterable[bytes]] = ..., ranges: _Optional[_Iterable[_Union[Range, _Mapping]]] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("start", "stop", "reverse", "limit")
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    start: bytes
    stop: bytes
    reverse: bool
    limit: int
    def __init__(self, start: _Optional[bytes] = ..., stop: _Optional[bytes] = ..., reverse: _Optional[bool] = ..., limit: _Optional[int] = ...) -> None: ...

class Entries(_message.Message):
    __slots__ = ("keys", "values", "absent")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    absent: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, keys: _Optional[_Iterable[bytes]] = ..., values: _Optional[_Iterable[bytes]] = ..., absent: _Optional[_Iterable[int]] = ...) -> None: ...

class NeedState(_message.Message):
    __slots__ = ("request_id", "want", "ids")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    want: KeySet
    ids: IdRange
    def __init__(self, request_id: _Optional[int] = ..., want: _Optional[_Union[KeySet, _Mapping]] = ..., ids: _Optional[_Union[IdRange, _Mapping]] = ...) -> None: ...

class IdRange(_message.Message):
    __slots__ = ("first", "count")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    first: int
    count: int
    def __init__(self, first: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class StateChunk(_message.Message):
    __slots__ = ("request_id", "entries", "ranges", "ids")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    entries: Entries
    ranges: _containers.RepeatedCompositeFieldContainer[Entries]
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, request_id: _Optional[int] = ..., entries: _Optional[_Union[Entries, _Mapping]] = ..., ranges: _Optional[_Iterable[_Union[Entries, _Mapping]]] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class StateDelta(_message.Message):
    __slots__ = ("from_version", "to_version", "writes")
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    from_version: int
    to_version: int
    writes: Entries
    def __init__(self, from_version: _Optional[int] = ..., to_version: _Optional[int] = ..., writes: _Optional[_Union[Entries, _Mapping]] = ...) -> None: ...

class Fragment(_message.Message):
    __slots__ = ("data", "last")
    DATA_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    last: bool
    def __init__(self, data: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("raw", "state_version", "height", "time_ms", "parent_section", "impersonate", "cache")
    RAW_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    PARENT_SECTION_FIELD_NUMBER: _ClassVar[int]
    IMPERSONATE_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    raw: _containers.RepeatedScalarFieldContainer[bytes]
    state_version: int
    height: int
    time_ms: int
    parent_section: Section
    impersonate: _containers.RepeatedScalarFieldContainer[bytes]
    cache: StateDelta
    def __init__(self, raw: _Optional[_Iterable[bytes]] = ..., state_version: _Optional[int] = ..., height: _Optional[int] = ..., time_ms: _Optional[int] = ..., parent_section: _Optional[_Union[Section, _Mapping]] = ..., impersonate: _Optional[_Iterable[bytes]] = ..., cache: _Optional[_Union[StateDelta, _Mapping]] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("checks",)
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    checks: _containers.RepeatedCompositeFieldContainer[TransactionCheck]
    def __init__(self, checks: _Optional[_Iterable[_Union[TransactionCheck, _Mapping]]] = ...) -> None: ...

class TransactionCheck(_message.Message):
    __slots__ = ("accepted", "reason", "message", "id", "sender", "sequence", "next_sequence", "expires_at_ms", "bid", "gas_limit", "hint", "prepared")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    reason: str
    message: str
    id: bytes
    sender: bytes
    sequence: int
    next_sequence: int
    expires_at_ms: int
    bid: bytes
    gas_limit: int
    hint: KeySet
    prepared: bytes
    def __init__(self, accepted: _Optional[bool] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., id: _Optional[bytes] = ..., sender: _Optional[bytes] = ..., sequence: _Optional[int] = ..., next_sequence: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., bid: _Optional[bytes] = ..., gas_limit: _Optional[int] = ..., hint: _Optional[_Union[KeySet, _Mapping]] = ..., prepared: _Optional[bytes] = ...) -> None: ...

class HostFrame(_message.Message):
    __slots__ = ("start", "delta", "state", "batch", "end", "call_in", "call_result", "rollback", "finish", "validate", "view", "fragment")
    START_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CALL_IN_FIELD_NUMBER: _ClassVar[int]
    CALL_RESULT_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    FRAGMENT_FIELD_NUMBER: _ClassVar[int]
    start: BlockStart
    delta: StateDelta
    state: StateChunk
    batch: TransactionBatch
    end: BlockEnd
    call_in: CallFrame
    call_result: CallResult
    rollback: Rollback
    finish: Finish
    validate: ValidateRequest
    view: ViewRequest
    fragment: Fragment
    def __init__(self, start: _Optional[_Union[BlockStart, _Mapping]] = ..., delta: _Optional[_Union[StateDelta, _Mapping]] = ..., state: _Optional[_Union[StateChunk, _Mapping]] = ..., batch: _Optional[_Union[TransactionBatch, _Mapping]] = ..., end: _Optional[_Union[BlockEnd, _Mapping]] = ..., call_in: _Optional[_Union[CallFrame, _Mapping]] = ..., call_result: _Optional[_Union[CallResult, _Mapping]] = ..., rollback: _Optional[_Union[Rollback, _Mapping]] = ..., finish: _Optional[_Union[Finish, _Mapping]] = ..., validate: _Optional[_Union[ValidateRequest, _Mapping]] = ..., view: _Optional[_Union[ViewRequest, _Mapping]] = ..., fragment: _Optional[_Union[Fragment, _Mapping]] = ...) -> None: ...

class ContainerFrame(_message.Message):
    __slots__ = ("need", "begun", "results", "block", "call_out", "call_result", "checks", "viewed", "fragment")
    NEED_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    CALL_OUT_FIELD_NUMBER: _ClassVar[int]
    CALL_RESULT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    VIEWED_FIELD_NUMBER: _ClassVar[int]
    FRAGMENT_FIELD_NUMBER: _ClassVar[int]
    need: NeedState
    begun: BlockBegun
    results: TransactionResults
    block: BlockResult
    call_out: CallFrame
    call_result: CallResult
    checks: ValidateResponse
    viewed: ViewResult
    fragment: Fragment
    def __init__(self, need: _Optional[_Union[NeedState, _Mapping]] = ..., begun: _Optional[_Union[BlockBegun, _Mapping]] = ..., results: _Optional[_Union[TransactionResults, _Mapping]] = ..., block: _Optional[_Union[BlockResult, _Mapping]] = ..., call_out: _Optional[_Union[CallFrame, _Mapping]] = ..., call_result: _Optional[_Union[CallResult, _Mapping]] = ..., checks: _Optional[_Union[ValidateResponse, _Mapping]] = ..., viewed: _Optional[_Union[ViewResult, _Mapping]] = ..., fragment: _Optional[_Union[Fragment, _Mapping]] = ...) -> None: ...

class BlockStart(_message.Message):
    __slots__ = ("execution_id", "mode", "height", "time_ms", "parent_id", "proposer", "randomness", "state_version", "result_version", "gas_limit", "parent_section", "recent_ids", "recent_ids_continue", "cache", "written", "recent_ids_count")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    RANDOMNESS_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    PARENT_SECTION_FIELD_NUMBER: _ClassVar[int]
    RECENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RECENT_IDS_CONTINUE_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    RECENT_IDS_COUNT_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    mode: Mode
    height: int
    time_ms: int
    parent_id: bytes
    proposer: bytes
    randomness: bytes
    state_version: int
    result_version: int
    gas_limit: int
    parent_section: Section
    recent_ids: _containers.RepeatedScalarFieldContainer[bytes]
    recent_ids_continue: bool
    cache: StateDelta
    written: Entries
    recent_ids_count: int
    def __init__(self, execution_id: _Optional[str] = ..., mode: _Optional[_Union[Mode, str]] = ..., height: _Optional[int] = ..., time_ms: _Optional[int] = ..., parent_id: _Optional[bytes] = ..., proposer: _Optional[bytes] = ..., randomness: _Optional[bytes] = ..., state_version: _Optional[int] = ..., result_version: _Optional[int] = ..., gas_limit: _Optional[int] = ..., parent_section: _Optional[_Union[Section, _Mapping]] = ..., recent_ids: _Optional[_Iterable[bytes]] = ..., recent_ids_continue: _Optional[bool] = ..., cache: _Optional[_Union[StateDelta, _Mapping]] = ..., written: _Optional[_Union[Entries, _Mapping]] = ..., recent_ids_count: _Optional[int] = ...) -> None: ...

class Section(_message.Message):
    __slots__ = ("gas_limit", "gas_used", "base_fee", "extra")
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    BASE_FEE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    gas_limit: int
    gas_used: int
    base_fee: bytes
    extra: bytes
    def __init__(self, gas_limit: _Optional[int] = ..., gas_used: _Optional[int] = ..., base_fee: _Optional[bytes] = ..., extra: _Optional[bytes] = ...) -> None: ...

class TransactionBatch(_message.Message):
    __slots__ = ("first_index", "gas_available", "raw", "prepared", "impersonate")
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    GAS_AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    IMPERSONATE_FIELD_NUMBER: _ClassVar[int]
    first_index: int
    gas_available: int
    raw: _containers.RepeatedScalarFieldContainer[bytes]
    prepared: _containers.RepeatedScalarFieldContainer[bytes]
    impersonate: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, first_index: _Optional[int] = ..., gas_available: _Optional[int] = ..., raw: _Optional[_Iterable[bytes]] = ..., prepared: _Optional[_Iterable[bytes]] = ..., impersonate: _Optional[_Iterable[bytes]] = ...) -> None: ...

class TransactionResults(_message.Message):
    __slots__ = ("index", "status", "gas_used", "id", "sender", "output", "burned", "write_count", "writes", "log_count", "logs", "tag_count", "tags", "details", "message", "refusals")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    BURNED_FIELD_NUMBER: _ClassVar[int]
    WRITE_COUNT_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    LOG_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    TAG_COUNT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    index: _containers.RepeatedScalarFieldContainer[int]
    status: _containers.RepeatedScalarFieldContainer[Status]
    gas_used: _containers.RepeatedScalarFieldContainer[int]
    id: _containers.RepeatedScalarFieldContainer[bytes]
    sender: _containers.RepeatedScalarFieldContainer[bytes]
    output: _containers.RepeatedScalarFieldContainer[bytes]
    burned: _containers.RepeatedScalarFieldContainer[bytes]
    write_count: _containers.RepeatedScalarFieldContainer[int]
    writes: Entries
    log_count: _containers.RepeatedScalarFieldContainer[int]
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    tag_count: _containers.RepeatedScalarFieldContainer[int]
    tags: _containers.RepeatedScalarFieldContainer[bytes]
    details: _containers.RepeatedScalarFieldContainer[bytes]
    message: _containers.RepeatedScalarFieldContainer[str]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, index: _Optional[_Iterable[int]] = ..., status: _Optional[_Iterable[_Union[Status, str]]] = ..., gas_used: _Optional[_Iterable[int]] = ..., id: _Optional[_Iterable[bytes]] = ..., sender: _Optional[_Iterable[bytes]] = ..., output: _Optional[_Iterable[bytes]] = ..., burned: _Optional[_Iterable[bytes]] = ..., write_count: _Optional[_Iterable[int]] = ..., writes: _Optional[_Union[Entries, _Mapping]] = ..., log_count: _Optional[_Iterable[int]] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., tag_count: _Optional[_Iterable[int]] = ..., tags: _Optional[_Iterable[bytes]] = ..., details: _Optional[_Iterable[bytes]] = ..., message: _Optional[_Iterable[str]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("fits", "reason", "later")
    FITS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LATER_FIELD_NUMBER: _ClassVar[int]
    fits: bool
    reason: str
    later: bool
    def __init__(self, fits: _Optional[bool] = ..., reason: _Optional[str] = ..., later: _Optional[bool] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("address", "topics", "data")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    topics: _containers.RepeatedScalarFieldContainer[bytes]
    data: bytes
    def __init__(self, address: _Optional[bytes] = ..., topics: _Optional[_Iterable[bytes]] = ..., data: _Optional[bytes] = ...) -> None: ...

class BlockEnd(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockBegun(_message.Message):
    __slots__ = ("writes", "burned", "logs", "section", "credit")
    WRITES_FIELD_NUMBER: _ClassVar[int]
    BURNED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    writes: Entries
    burned: bytes
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    section: Section
    credit: int
    def __init__(self, writes: _Optional[_Union[Entries, _Mapping]] = ..., burned: _Optional[bytes] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., section: _Optional[_Union[Section, _Mapping]] = ..., credit: _Optional[int] = ...) -> None: ...

class BlockResult(_message.Message):
    __slots__ = ("writes", "burned", "logs", "section")
    WRITES_FIELD_NUMBER: _ClassVar[int]
    BURNED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    writes: Entries
    burned: bytes
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    section: Section
    def __init__(self, writes: _Optional[_Union[Entries, _Mapping]] = ..., burned: _Optional[bytes] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., section: _Optional[_Union[Section, _Mapping]] = ...) -> None: ...

class Finish(_message.Message):
    __slots__ = ("execution_id", "outcome")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    outcome: Outcome
    def __init__(self, execution_id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ...) -> None: ...

class CallFrame(_message.Message):
    __slots__ = ("frame_id", "parent_id", "depth", "caller", "callee", "value", "input", "gas", "read_only", "dirty")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CALLEE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    DIRTY_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    parent_id: int
    depth: int
    caller: bytes
    callee: bytes
    value: bytes
    input: bytes
    gas: int
    read_only: bool
    dirty: Entries
    def __init__(self, frame_id: _Optional[int] = ..., parent_id: _Optional[int] = ..., depth: _Optional[int] = ..., caller: _Optional[bytes] = ..., callee: _Optional[bytes] = ..., value: _Optional[bytes] = ..., input: _Optional[bytes] = ..., gas: _Optional[int] = ..., read_only: _Optional[bool] = ..., dirty: _Optional[_Union[Entries, _Mapping]] = ...) -> None: ...

class CallResult(_message.Message):
    __slots__ = ("frame_id", "status", "output", "gas_used", "dirty", "logs")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    DIRTY_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    status: Status
    output: bytes
    gas_used: int
    dirty: Entries
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    def __init__(self, frame_id: _Optional[int] = ..., status: _Optional[_Union[Status, str]] = ..., output: _Optional[bytes] = ..., gas_used: _Optional[int] = ..., dirty: _Optional[_Union[Entries, _Mapping]] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ...) -> None: ...

class Rollback(_message.Message):
    __slots__ = ("frame_id",)
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    def __init__(self, frame_id: _Optional[int] = ...) -> None: ...

class ViewRequest(_message.Message):
    __slots__ = ("start", "call", "estimate", "query", "overrides")
    START_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    start: BlockStart
    call: Call
    estimate: Call
    query: Query
    overrides: Entries
    def __init__(self, start: _Optional[_Union[BlockStart, _Mapping]] = ..., call: _Optional[_Union[Call, _Mapping]] = ..., estimate: _Optional[_Union[Call, _Mapping]] = ..., query: _Optional[_Union[Query, _Mapping]] = ..., overrides: _Optional[_Union[Entries, _Mapping]] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("sender", "to", "value", "input", "gas_limit", "options_json")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    sender: bytes
    to: bytes
    value: bytes
    input: bytes
    gas_limit: int
    options_json: bytes
    def __init__(self, sender: _Optional[bytes] = ..., to: _Optional[bytes] = ..., value: _Optional[bytes] = ..., input: _Optional[bytes] = ..., gas_limit: _Optional[int] = ..., options_json: _Optional[bytes] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("method", "parameters_json")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    method: str
    parameters_json: bytes
    def __init__(self, method: _Optional[str] = ..., parameters_json: _Optional[bytes] = ...) -> None: ...

class ViewResult(_message.Message):
    __slots__ = ("status", "output", "gas_used", "logs", "message", "json", "reason")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    status: Status
    output: bytes
    gas_used: int
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    message: str
    json: bytes
    reason: str
    def __init__(self, status: _Optional[_Union[Status, str]] = ..., output: _Optional[bytes] = ..., gas_used: _Optional[int] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., message: _Optional[str] = ..., json: _Optional[bytes] = ..., reason: _Optional[str] = ...) -> None: ...
