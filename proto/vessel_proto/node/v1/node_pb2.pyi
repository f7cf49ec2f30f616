from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitFor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_FOR_UNSPECIFIED: _ClassVar[WaitFor]
    WAIT_FOR_ACCEPTED: _ClassVar[WaitFor]
    WAIT_FOR_COMMITTED: _ClassVar[WaitFor]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OK: _ClassVar[Status]
    STATUS_REVERTED: _ClassVar[Status]
    STATUS_OUT_OF_GAS: _ClassVar[Status]
    STATUS_TRAP: _ClassVar[Status]
    STATUS_INVALID: _ClassVar[Status]
    STATUS_DENIED: _ClassVar[Status]

class BlockTag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BLOCK_TAG_UNSPECIFIED: _ClassVar[BlockTag]
    BLOCK_TAG_LATEST: _ClassVar[BlockTag]
    BLOCK_TAG_FINALIZED: _ClassVar[BlockTag]
    BLOCK_TAG_GENESIS: _ClassVar[BlockTag]

class ContainerHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTAINER_HEALTH_UNSPECIFIED: _ClassVar[ContainerHealth]
    CONTAINER_HEALTH_SERVING: _ClassVar[ContainerHealth]
    CONTAINER_HEALTH_RESTARTING: _ClassVar[ContainerHealth]
    CONTAINER_HEALTH_QUARANTINED: _ClassVar[ContainerHealth]
WAIT_FOR_UNSPECIFIED: WaitFor
WAIT_FOR_ACCEPTED: WaitFor
WAIT_FOR_COMMITTED: WaitFor
STATUS_UNSPECIFIED: Status
STATUS_OK: Status
STATUS_REVERTED: Status
STATUS_OUT_OF_GAS: Status
STATUS_TRAP: Status
STATUS_INVALID: Status
STATUS_DENIED: Status
BLOCK_TAG_UNSPECIFIED: BlockTag
BLOCK_TAG_LATEST: BlockTag
BLOCK_TAG_FINALIZED: BlockTag
BLOCK_TAG_GENESIS: BlockTag
CONTAINER_HEALTH_UNSPECIFIED: ContainerHealth
CONTAINER_HEALTH_SERVING: ContainerHealth
CONTAINER_HEALTH_RESTARTING: ContainerHealth
CONTAINER_HEALTH_QUARANTINED: ContainerHealth

class GetServiceInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServiceInfoResponse(_message.Message):
    __slots__ = ("software", "version", "chain_name", "chain_id", "genesis_hash", "hash", "consensus", "dev", "head", "finalized_height", "pending_transactions")
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHAIN_NAME_FIELD_NUMBER: _ClassVar[int]
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    GENESIS_HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    DEV_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FINALIZED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PENDING_TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    software: str
    version: str
    chain_name: str
    chain_id: int
    genesis_hash: bytes
    hash: str
    consensus: str
    dev: bool
    head: BlockSummary
    finalized_height: int
    pending_transactions: int
    def __init__(self, software: _Optional[str] = ..., version: _Optional[str] = ..., chain_name: _Optional[str] = ..., chain_id: _Optional[int] = ..., genesis_hash: _Optional[bytes] = ..., hash: _Optional[str] = ..., consensus: _Optional[str] = ..., dev: _Optional[bool] = ..., head: _Optional[_Union[BlockSummary, _Mapping]] = ..., finalized_height: _Optional[int] = ..., pending_transactions: _Optional[int] = ...) -> None: ...

class BlockSummary(_message.Message):
    __slots__ = ("height", "id", "time_ms")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    height: int
    id: bytes
    time_ms: int
    def __init__(self, height: _Optional[int] = ..., id: _Optional[bytes] = ..., time_ms: _Optional[int] = ...) -> None: ...

class SubmitTransactionsRequest(_message.Message):
    __slots__ = ("transactions", "wait_for", "timeout_ms")
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    transactions: _containers.RepeatedCompositeFieldContainer[SubmittedTransaction]
    wait_for: WaitFor
    timeout_ms: int
    def __init__(self, transactions: _Optional[_Iterable[_Union[SubmittedTransaction, _Mapping]]] = ..., wait_for: _Optional[_Union[WaitFor, str]] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class SubmittedTransaction(_message.Message):
    __slots__ = ("container", "raw")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    container: str
    raw: bytes
    def __init__(self, container: _Optional[str] = ..., raw: _Optional[bytes] = ...) -> None: ...

class SubmitTransactionsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SubmissionResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SubmissionResult, _Mapping]]] = ...) -> None: ...

class SubmissionResult(_message.Message):
    __slots__ = ("error", "accepted")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    error: _status_pb2.Status
    accepted: AcceptedTransaction
    def __init__(self, error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., accepted: _Optional[_Union[AcceptedTransaction, _Mapping]] = ...) -> None: ...

class AcceptedTransaction(_message.Message):
    __slots__ = ("id", "committed")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    committed: TransactionInBlock
    def __init__(self, id: _Optional[bytes] = ..., committed: _Optional[_Union[TransactionInBlock, _Mapping]] = ...) -> None: ...

class GetTransactionRequest(_message.Message):
    __slots__ = ("container", "id")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    container: str
    id: bytes
    def __init__(self, container: _Optional[str] = ..., id: _Optional[bytes] = ...) -> None: ...

class GetTransactionResponse(_message.Message):
    __slots__ = ("committed", "pending")
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    committed: TransactionInBlock
    pending: PendingTransaction
    def __init__(self, committed: _Optional[_Union[TransactionInBlock, _Mapping]] = ..., pending: _Optional[_Union[PendingTransaction, _Mapping]] = ...) -> None: ...

class PendingTransaction(_message.Message):
    __slots__ = ("container", "id", "raw", "sender")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    container: str
    id: bytes
    raw: bytes
    sender: bytes
    def __init__(self, container: _Optional[str] = ..., id: _Optional[bytes] = ..., raw: _Optional[bytes] = ..., sender: _Optional[bytes] = ...) -> None: ...

class TransactionInBlock(_message.Message):
    __slots__ = ("container", "id", "raw", "block_height", "block_id", "block_time_ms", "index", "receipt")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    container: str
    id: bytes
    raw: bytes
    block_height: int
    block_id: bytes
    block_time_ms: int
    index: int
    receipt: Receipt
    def __init__(self, container: _Optional[str] = ..., id: _Optional[bytes] = ..., raw: _Optional[bytes] = ..., block_height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., block_time_ms: _Optional[int] = ..., index: _Optional[int] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("container", "transaction_id", "sender", "status", "gas_used", "output", "burned", "logs", "details_json", "tags")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    BURNED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_JSON_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    container: str
    transaction_id: bytes
    sender: bytes
    status: Status
    gas_used: int
    output: bytes
    burned: bytes
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    details_json: bytes
    tags: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, container: _Optional[str] = ..., transaction_id: _Optional[bytes] = ..., sender: _Optional[bytes] = ..., status: _Optional[_Union[Status, str]] = ..., gas_used: _Optional[int] = ..., output: _Optional[bytes] = ..., burned: _Optional[bytes] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., details_json: _Optional[bytes] = ..., tags: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("address", "topics", "data")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    topics: _containers.RepeatedScalarFieldContainer[bytes]
    data: bytes
    def __init__(self, address: _Optional[bytes] = ..., topics: _Optional[_Iterable[bytes]] = ..., data: _Optional[bytes] = ...) -> None: ...

class BlockReference(_message.Message):
    __slots__ = ("height", "id", "tag")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    height: int
    id: bytes
    tag: BlockTag
    def __init__(self, height: _Optional[int] = ..., id: _Optional[bytes] = ..., tag: _Optional[_Union[BlockTag, str]] = ...) -> None: ...

class GetBlockRequest(_message.Message):
    __slots__ = ("block", "read_mask")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    block: BlockReference
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, block: _Optional[_Union[BlockReference, _Mapping]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetBlockResponse(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: Block
    def __init__(self, block: _Optional[_Union[Block, _Mapping]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("id", "header", "transactions", "receipts", "result", "seal_signature")
    ID_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEAL_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    header: Header
    transactions: _containers.RepeatedCompositeFieldContainer[EnvelopedTransaction]
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    result: BlockResult
    seal_signature: bytes
    def __init__(self, id: _Optional[bytes] = ..., header: _Optional[_Union[Header, _Mapping]] = ..., transactions: _Optional[_Iterable[_Union[EnvelopedTransaction, _Mapping]]] = ..., receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ..., result: _Optional[_Union[BlockResult, _Mapping]] = ..., seal_signature: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("version", "height", "parent_id", "time_ms", "proposer", "randomness", "transactions_root", "sections", "parent_result", "consensus", "mainchain_link")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    RANDOMNESS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_ROOT_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    PARENT_RESULT_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    MAINCHAIN_LINK_FIELD_NUMBER: _ClassVar[int]
    version: int
    height: int
    parent_id: bytes
    time_ms: int
    proposer: bytes
    randomness: bytes
    transactions_root: bytes
    sections: _containers.RepeatedCompositeFieldContainer[Section]
    parent_result: BlockResult
    consensus: bytes
    mainchain_link: bytes
    def __init__(self, version: _Optional[int] = ..., height: _Optional[int] = ..., parent_id: _Optional[bytes] = ..., time_ms: _Optional[int] = ..., proposer: _Optional[bytes] = ..., randomness: _Optional[bytes] = ..., transactions_root: _Optional[bytes] = ..., sections: _Optional[_Iterable[_Union[Section, _Mapping]]] = ..., parent_result: _Optional[_Union[BlockResult, _Mapping]] = ..., consensus: _Optional[bytes] = ..., mainchain_link: _Optional[bytes] = ...) -> None: ...

class BlockResult(_message.Message):
    __slots__ = ("state_root", "receipts_root", "gas_used")
    STATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_ROOT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    state_root: bytes
    receipts_root: bytes
    gas_used: int
    def __init__(self, state_root: _Optional[bytes] = ..., receipts_root: _Optional[bytes] = ..., gas_used: _Optional[int] = ...) -> None: ...

class Section(_message.Message):
    __slots__ = ("container", "gas_limit", "gas_used", "base_fee", "extra", "idle")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    BASE_FEE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    container: str
    gas_limit: int
    gas_used: int
    base_fee: bytes
    extra: bytes
    idle: bool
    def __init__(self, container: _Optional[str] = ..., gas_limit: _Optional[int] = ..., gas_used: _Optional[int] = ..., base_fee: _Optional[bytes] = ..., extra: _Optional[bytes] = ..., idle: _Optional[bool] = ...) -> None: ...

class EnvelopedTransaction(_message.Message):
    __slots__ = ("container", "raw", "id")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    container: str
    raw: bytes
    id: bytes
    def __init__(self, container: _Optional[str] = ..., raw: _Optional[bytes] = ..., id: _Optional[bytes] = ...) -> None: ...

class CallRequest(_message.Message):
    __slots__ = ("container", "at", "sender", "to", "value", "input", "gas_limit", "options_json")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    container: str
    at: BlockReference
    sender: bytes
    to: bytes
    value: bytes
    input: bytes
    gas_limit: int
    options_json: bytes
    def __init__(self, container: _Optional[str] = ..., at: _Optional[_Union[BlockReference, _Mapping]] = ..., sender: _Optional[bytes] = ..., to: _Optional[bytes] = ..., value: _Optional[bytes] = ..., input: _Optional[bytes] = ..., gas_limit: _Optional[int] = ..., options_json: _Optional[bytes] = ...) -> None: ...

class CallResponse(_message.Message):
    __slots__ = ("status", "output", "gas_used", "logs", "message", "height")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    status: Status
    output: bytes
    gas_used: int
    logs: _containers.RepeatedCompositeFieldContainer[Log]
    message: str
    height: int
    def __init__(self, status: _Optional[_Union[Status, str]] = ..., output: _Optional[bytes] = ..., gas_used: _Optional[int] = ..., logs: _Optional[_Iterable[_Union[Log, _Mapping]]] = ..., message: _Optional[str] = ..., height: _Optional[int] = ...) -> None: ...

class EstimateGasRequest(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: CallRequest
    def __init__(self, call: _Optional[_Union[CallRequest, _Mapping]] = ...) -> None: ...

class EstimateGasResponse(_message.Message):
    __slots__ = ("gas_limit",)
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    gas_limit: int
    def __init__(self, gas_limit: _Optional[int] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("container", "at", "method", "parameters_json")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    container: str
    at: BlockReference
    method: str
    parameters_json: bytes
    def __init__(self, container: _Optional[str] = ..., at: _Optional[_Union[BlockReference, _Mapping]] = ..., method: _Optional[str] = ..., parameters_json: _Optional[bytes] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("json", "height")
    JSON_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    json: bytes
    height: int
    def __init__(self, json: _Optional[bytes] = ..., height: _Optional[int] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ("keys", "at", "with_proofs")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    WITH_PROOFS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[bytes]
    at: BlockReference
    with_proofs: bool
    def __init__(self, keys: _Optional[_Iterable[bytes]] = ..., at: _Optional[_Union[BlockReference, _Mapping]] = ..., with_proofs: _Optional[bool] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("height", "block_id", "state_root", "entries")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    state_root: bytes
    entries: _containers.RepeatedCompositeFieldContainer[StateEntry]
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., state_root: _Optional[bytes] = ..., entries: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ...) -> None: ...

class StateEntry(_message.Message):
    __slots__ = ("key", "value", "proof")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    proof: bytes
    def __init__(self, key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., proof: _Optional[bytes] = ...) -> None: ...

class ListContainersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListContainersResponse(_message.Message):
    __slots__ = ("containers",)
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    containers: _containers.RepeatedCompositeFieldContainer[ContainerInfo]
    def __init__(self, containers: _Optional[_Iterable[_Union[ContainerInfo, _Mapping]]] = ...) -> None: ...

class ContainerInfo(_message.Message):
    __slots__ = ("name", "kind", "version", "transport", "namespace", "gas_limit", "capabilities", "engine_digest", "health", "restarts", "process_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ENGINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    version: str
    transport: str
    namespace: int
    gas_limit: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    engine_digest: bytes
    health: ContainerHealth
    restarts: int
    process_id: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., version: _Optional[str] = ..., transport: _Optional[str] = ..., namespace: _Optional[int] = ..., gas_limit: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., engine_digest: _Optional[bytes] = ..., health: _Optional[_Union[ContainerHealth, str]] = ..., restarts: _Optional[int] = ..., process_id: _Optional[int] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("container", "addresses", "topics", "tags", "senders", "statuses", "from_height", "to_height")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SENDERS_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TO_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    container: str
    addresses: _containers.RepeatedScalarFieldContainer[bytes]
    topics: _containers.RepeatedCompositeFieldContainer[TopicAlternatives]
    tags: _containers.RepeatedScalarFieldContainer[bytes]
    senders: _containers.RepeatedScalarFieldContainer[bytes]
    statuses: _containers.RepeatedScalarFieldContainer[Status]
    from_height: int
    to_height: int
    def __init__(self, container: _Optional[str] = ..., addresses: _Optional[_Iterable[bytes]] = ..., topics: _Optional[_Iterable[_Union[TopicAlternatives, _Mapping]]] = ..., tags: _Optional[_Iterable[bytes]] = ..., senders: _Optional[_Iterable[bytes]] = ..., statuses: _Optional[_Iterable[_Union[Status, str]]] = ..., from_height: _Optional[int] = ..., to_height: _Optional[int] = ...) -> None: ...

class TopicAlternatives(_message.Message):
    __slots__ = ("topics",)
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    topics: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, topics: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ListBlocksRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token", "read_mask")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    page_size: int
    page_token: bytes
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[bytes] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListBlocksResponse(_message.Message):
    __slots__ = ("blocks", "next_page_token")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[Block]
    next_page_token: bytes
    def __init__(self, blocks: _Optional[_Iterable[_Union[Block, _Mapping]]] = ..., next_page_token: _Optional[bytes] = ...) -> None: ...

class ListReceiptsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    page_size: int
    page_token: bytes
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[bytes] = ...) -> None: ...

class ListReceiptsResponse(_message.Message):
    __slots__ = ("receipts", "next_page_token")
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[TransactionInBlock]
    next_page_token: bytes
    def __init__(self, receipts: _Optional[_Iterable[_Union[TransactionInBlock, _Mapping]]] = ..., next_page_token: _Optional[bytes] = ...) -> None: ...

class ListLogsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    page_size: int
    page_token: bytes
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[bytes] = ...) -> None: ...

class ListLogsResponse(_message.Message):
    __slots__ = ("logs", "next_page_token")
    LOGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    logs: _containers.RepeatedCompositeFieldContainer[LogInBlock]
    next_page_token: bytes
    def __init__(self, logs: _Optional[_Iterable[_Union[LogInBlock, _Mapping]]] = ..., next_page_token: _Optional[bytes] = ...) -> None: ...

class LogInBlock(_message.Message):
    __slots__ = ("container", "log", "block_height", "block_id", "block_time_ms", "transaction_id", "transaction_index", "index")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_INDEX_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    container: str
    log: Log
    block_height: int
    block_id: bytes
    block_time_ms: int
    transaction_id: bytes
    transaction_index: int
    index: int
    def __init__(self, container: _Optional[str] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., block_height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., block_time_ms: _Optional[int] = ..., transaction_id: _Optional[bytes] = ..., transaction_index: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("blocks", "receipts", "logs", "filter", "after")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    blocks: WantedBlocks
    receipts: WantedReceipts
    logs: WantedLogs
    filter: Filter
    after: Watermark
    def __init__(self, blocks: _Optional[_Union[WantedBlocks, _Mapping]] = ..., receipts: _Optional[_Union[WantedReceipts, _Mapping]] = ..., logs: _Optional[_Union[WantedLogs, _Mapping]] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., after: _Optional[_Union[Watermark, _Mapping]] = ...) -> None: ...

class WantedBlocks(_message.Message):
    __slots__ = ("read_mask",)
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class WantedReceipts(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WantedLogs(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Watermark(_message.Message):
    __slots__ = ("next_height", "block_id")
    NEXT_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    next_height: int
    block_id: bytes
    def __init__(self, next_height: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("blocks", "receipts", "logs", "removed", "watermark", "live")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[Block]
    receipts: _containers.RepeatedCompositeFieldContainer[TransactionInBlock]
    logs: _containers.RepeatedCompositeFieldContainer[LogInBlock]
    removed: bool
    watermark: Watermark
    live: bool
    def __init__(self, blocks: _Optional[_Iterable[_Union[Block, _Mapping]]] = ..., receipts: _Optional[_Iterable[_Union[TransactionInBlock, _Mapping]]] = ..., logs: _Optional[_Iterable[_Union[LogInBlock, _Mapping]]] = ..., removed: _Optional[bool] = ..., watermark: _Optional[_Union[Watermark, _Mapping]] = ..., live: _Optional[bool] = ...) -> None: ...
