// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Counter
/// @notice One number that anyone may raise: the smallest contract with state, an argument and an event.
contract Counter {
    /// @notice The present number.
    uint256 public number;

    /// @notice The number was raised.
    /// @param by who raised it
    /// @param number what it is now
    event Raised(address indexed by, uint256 number);

    /// @notice Raises the number by one.
    /// @return the number after it
    function increment() external returns (uint256) {
        return _raise(1);
    }

    /// @notice Raises the number by `amount`; panics with 0x11 where that would overflow.
    /// @return the number after it
    function add(uint256 amount) external returns (uint256) {
        return _raise(amount);
    }

    function _raise(uint256 amount) private returns (uint256 raised) {
        raised = number + amount;
        number = raised;
        emit Raised(msg.sender, raised);
    }
}
