// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Multicall3
/// @notice Makes many calls in one, with the interface that tools expect at
///         0xcA11bde05977b3631167028862bE2a173976CA11.
/// @dev Written for Vessel from the published interface: calls, results and refusals are the same,
///      the code and so its hash are not. It keeps no state and no coin between calls.
contract Multicall3 {
    /// @notice A call that must succeed, or not, as all others of its batch.
    struct Call {
        address target;
        bytes callData;
    }

    /// @notice A call that says for itself whether it may fail.
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    /// @notice A call that is sent coin as well.
    struct Call3Value {
        address target;
        bool allowFailure;
        uint256 value;
        bytes callData;
    }

    /// @notice What came of one call: its return data, or its revert data.
    struct Result {
        bool success;
        bytes returnData;
    }

    /// @notice Makes all calls; one failure fails all.
    /// @return blockNumber the block they ran in
    /// @return returnData what each returned
    function aggregate(Call[] calldata calls)
        external
        payable
        returns (uint256 blockNumber, bytes[] memory returnData)
    {
        blockNumber = block.number;
        returnData = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            Result memory result = _perform(calls[i].target, 0, calls[i].callData, false);
            returnData[i] = result.returnData;
        }
    }

    /// @notice Makes all calls, each of which may fail, unless `requireSuccess`.
    function tryAggregate(bool requireSuccess, Call[] calldata calls)
        external
        payable
        returns (Result[] memory returnData)
    {
        return _performAll(requireSuccess, calls);
    }

    /// @notice As `tryAggregate`, with the block they ran in; its hash is not known yet and so zero.
    function tryBlockAndAggregate(bool requireSuccess, Call[] calldata calls)
        external
        payable
        returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData)
    {
        return (block.number, blockhash(block.number), _performAll(requireSuccess, calls));
    }

    /// @notice As `aggregate`, with the block they ran in; its hash is not known yet and so zero.
    function blockAndAggregate(Call[] calldata calls)
        external
        payable
        returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData)
    {
        return (block.number, blockhash(block.number), _performAll(true, calls));
    }

    /// @notice Makes all calls; one that fails and may not fails all.
    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData) {
        returnData = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            Call3 calldata call = calls[i];
            returnData[i] = _perform(call.target, 0, call.callData, call.allowFailure);
        }
    }

    /// @notice As `aggregate3`, and sends each call its coin; together that must be the coin sent here.
    /// @dev What a failed call was to be sent counts as well and stays here, for anyone to take.
    function aggregate3Value(Call3Value[] calldata calls)
        external
        payable
        returns (Result[] memory returnData)
    {
        uint256 sent;
        returnData = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            Call3Value calldata call = calls[i];
            // Wraps, as in the widely deployed one. A batch may so spend coin left here, which is nobody's.
            unchecked {
                sent += call.value;
            }
            returnData[i] = _perform(call.target, call.value, call.callData, call.allowFailure);
        }
        require(msg.value == sent, "Multicall3: value mismatch");
    }

    /// @notice The hash of one of the last 256 blocks; zero for any other.
    function getBlockHash(uint256 blockNumber) external view returns (bytes32 blockHash) {
        return blockhash(blockNumber);
    }

    /// @notice The number of the present block.
    function getBlockNumber() external view returns (uint256 blockNumber) {
        return block.number;
    }

    /// @notice Who is paid for the present block.
    function getCurrentBlockCoinbase() external view returns (address coinbase) {
        return block.coinbase;
    }

    /// @notice The present block's random value, which took the place of its difficulty.
    function getCurrentBlockDifficulty() external view returns (uint256 difficulty) {
        return block.prevrandao;
    }

    /// @notice The gas that the present block has room for.
    function getCurrentBlockGasLimit() external view returns (uint256 gaslimit) {
        return block.gaslimit;
    }

    /// @notice The time of the present block, in seconds since 1970.
    function getCurrentBlockTimestamp() external view returns (uint256 timestamp) {
        return block.timestamp;
    }

    /// @notice The native coin that `addr` has.
    function getEthBalance(address addr) external view returns (uint256 balance) {
        return addr.balance;
    }

    /// @notice The hash of the block before the present one.
    function getLastBlockHash() external view returns (bytes32 blockHash) {
        unchecked {
            return blockhash(block.number - 1);
        }
    }

    /// @notice What a unit of gas costs at least in the present block.
    function getBasefee() external view returns (uint256 basefee) {
        return block.basefee;
    }

    /// @notice The number of the chain, as signed in transactions.
    function getChainId() external view returns (uint256 chainid) {
        return block.chainid;
    }

    function _performAll(bool requireSuccess, Call[] calldata calls)
        private
        returns (Result[] memory results)
    {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            results[i] = _perform(calls[i].target, 0, calls[i].callData, !requireSuccess);
        }
    }

    function _perform(address target, uint256 value, bytes calldata callData, bool allowFailure)
        private
        returns (Result memory result)
    {
        (result.success, result.returnData) = target.call{value: value}(callData);
        require(result.success || allowFailure, "Multicall3: call failed");
    }
}
