// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Reverter
/// @notice Fails in every way a contract can, one function a way, so that tools can be held against each.
contract Reverter {
    /// @notice Three values, so that 3 and above are none of them.
    enum Colour {
        Red,
        Green,
        Blue
    }

    /// @notice How a caught failure looked to its catcher.
    enum Caught {
        Nothing,
        Message,
        PanicCode,
        Bytes
    }

    /// @notice How often `writeThenRevert` has lasted: never.
    uint256 public writes;

    /// @notice How often `attempt` was called to its end.
    uint256 public attempts;

    uint256[] private _numbers;
    bytes private _text;
    function() internal _pointer;

    /// @notice Should never be seen in a log.
    event Written(uint256 writes);

    /// @notice An error without arguments.
    error Refused();

    /// @notice An error with arguments of fixed and of free length.
    error RefusedBecause(address caller, uint256 needed, string why);

    // Messages and errors

    /// @notice `require` with a message: `Error(string)`.
    function requireMessage(string calldata message) external view {
        require(msg.sender == address(this), message);
    }

    /// @notice `require` with nothing: no data.
    function requireNothing() external view {
        require(msg.sender == address(this));
    }

    /// @notice `require` with a custom error.
    function requireError() external view {
        require(msg.sender == address(this), Refused());
    }

    /// @notice `revert` with nothing: no data.
    function bareRevert() external pure {
        revert();
    }

    /// @notice `revert` with a message: `Error(string)`.
    function revertMessage(string calldata message) external pure {
        revert(message);
    }

    /// @notice `revert` with a custom error that has no arguments.
    function revertError() external pure {
        revert Refused();
    }

    /// @notice `revert` with a custom error that has arguments.
    function revertErrorBecause(uint256 needed, string calldata why) external view {
        revert RefusedBecause(msg.sender, needed, why);
    }

    /// @notice Reverts with exactly `data`, which need not be any ABI's.
    function revertBytes(bytes memory data) external pure {
        assembly ("memory-safe") {
            revert(add(data, 32), mload(data))
        }
    }

    // Panics, by code

    /// @notice 0x01: an assertion that does not hold.
    function panicAssert() external pure {
        assert(false);
    }

    /// @notice 0x11 where the sum does not fit.
    function sum(uint256 a, uint256 b) external pure returns (uint256) {
        return a + b;
    }

    /// @notice 0x11 where the difference is below zero.
    function difference(uint256 a, uint256 b) external pure returns (uint256) {
        return a - b;
    }

    /// @notice 0x12 where `b` is zero.
    function quotient(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    /// @notice 0x21 where `value` is no colour.
    function colour(uint256 value) external pure returns (Colour) {
        return Colour(value);
    }

    /// @notice 0x22: bytes in storage whose length says short and long at once.
    function panicEncoding() external returns (bytes memory) {
        assembly {
            sstore(_text.slot, 1)
        }
        return _text;
    }

    /// @notice 0x31: taking the last element of an empty array.
    function panicPop() external {
        _numbers.pop();
    }

    /// @notice 0x32 where the array of three has no such index.
    function element(uint256 index) external pure returns (uint256) {
        uint256[3] memory numbers = [uint256(10), 20, 30];
        return numbers[index];
    }

    /// @notice 0x41 where more memory is asked for than can be.
    function allocate(uint256 length) external pure returns (uint256) {
        return new uint256[](length).length;
    }

    /// @notice 0x51: calling an internal function pointer that was never set.
    function panicPointer() external {
        _pointer();
    }

    // Halts: all gas given is gone, no data

    /// @notice Executes the invalid instruction 0xfe.
    function invalidOpcode() external pure {
        assembly {
            invalid()
        }
    }

    /// @notice Runs until there is no gas.
    function outOfGas() external pure {
        uint256 turns;
        while (true) {
            unchecked {
                turns++;
            }
        }
    }

    /// @notice Asks for memory whose price is above any gas limit.
    function outOfMemory() external pure returns (bytes32 word) {
        assembly {
            word := mload(0xffffffffffffffff)
        }
    }

    // Failures inside of calls

    /// @notice Calls itself with `data` and fails with what that fails with, byte for byte.
    function nested(bytes calldata data) external payable returns (bytes memory) {
        (bool success, bytes memory result) = address(this).call{value: msg.value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    /// @notice Calls itself with `data` under try and catch, and tells which clause caught it and what.
    function caught(bytes calldata data)
        external
        returns (Caught how, string memory message, uint256 code, bytes memory raw)
    {
        try this.nested(data) returns (bytes memory result) {
            raw = result;
        } catch Error(string memory text) {
            return (Caught.Message, text, 0, "");
        } catch Panic(uint256 number) {
            return (Caught.PanicCode, "", number, "");
        } catch (bytes memory other) {
            return (Caught.Bytes, "", 0, other);
        }
    }

    /// @notice Writes and logs, then reverts: neither may last.
    function writeThenRevert() external {
        writes += 1;
        emit Written(writes);
        revert Refused();
    }

    /// @notice Catches `writeThenRevert`: its own write lasts, the inner one does not.
    function attempt() external {
        attempts += 1;
        try this.writeThenRevert() {
            assert(false);
        } catch {}
    }

    /// @notice Tries to write where only reading is allowed.
    /// @return success whether that went through: never
    function writeInStaticCall() external view returns (bool success) {
        (success, ) = address(this).staticcall{gas: 50_000}(abi.encodeCall(this.attempt, ()));
    }
}

/// @title Stillborn
/// @notice A contract whose constructor refuses, so that deploying it fails with a reason.
contract Stillborn {
    /// @notice Why it was not made.
    error NotBorn(uint256 reason);

    constructor(uint256 reason) {
        revert NotBorn(reason);
    }
}
