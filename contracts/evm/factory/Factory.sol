// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Child
/// @notice What the factory makes: it knows its maker and the number it was made with.
contract Child {
    /// @notice The contract that made it, in its code and not in its storage.
    address public immutable maker;

    /// @notice The number it was made with.
    uint256 public number;

    /// @notice A child must have a number other than zero.
    error NoNumber();

    constructor(uint256 number_) payable {
        if (number_ == 0) revert NoNumber();
        maker = msg.sender;
        number = number_;
    }
}

/// @title Factory
/// @notice Makes contracts out of a contract, by CREATE and by CREATE2, and foretells their addresses.
contract Factory {
    /// @notice Every child, in the order they were made.
    address[] public children;

    /// @notice A child was made.
    /// @param child where it is
    /// @param number what it was made with
    /// @param salt the salt of CREATE2, or zero for CREATE
    event ChildMade(address indexed child, uint256 number, bytes32 salt);

    /// @notice Makes a child by CREATE and passes the coin sent on to it.
    /// @return child where it is: it depends on this contract's address and nonce
    function make(uint256 number) external payable returns (address child) {
        child = address(new Child{value: msg.value}(number));
        _remember(child, number, 0);
    }

    /// @notice Makes a child by CREATE2 and passes the coin sent on to it.
    /// @return child where it is: it depends on this contract's address, the salt and the number
    function makeAt(bytes32 salt, uint256 number) external payable returns (address child) {
        child = address(new Child{salt: salt, value: msg.value}(number));
        _remember(child, number, salt);
    }

    /// @notice Makes two children at once: should the second fail, the first was never made either.
    function makeTwo(uint256 first, uint256 second) external returns (address, address) {
        Child one = new Child(first);
        Child two = new Child(second);
        _remember(address(one), first, 0);
        _remember(address(two), second, 0);
        return (address(one), address(two));
    }

    /// @notice How many children there are.
    function count() external view returns (uint256) {
        return children.length;
    }

    /// @notice Where `makeAt` would put a child.
    function foretell(bytes32 salt, uint256 number) external view returns (address) {
        bytes32 codeHash = keccak256(abi.encodePacked(type(Child).creationCode, abi.encode(number)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, codeHash)))));
    }

    /// @notice Where `make` would put a child, were this contract's nonce `nonce`.
    /// @dev The address is the end of the hash of RLP([this, nonce]); nonces 1 to 127 are their own RLP.
    function foretellByNonce(uint8 nonce) external view returns (address) {
        require(nonce > 0 && nonce < 128, "Factory: nonce must be 1 to 127");
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes2(0xd694), address(this), nonce)))));
    }

    function _remember(address child, uint256 number, bytes32 salt) private {
        children.push(child);
        emit ChildMade(child, number, salt);
    }
}
