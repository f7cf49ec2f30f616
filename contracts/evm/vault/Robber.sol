// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Vault
/// @notice What the robber needs of the vault written in Vyper.
interface Vault {
    function deposit() external payable;
    function withdraw(uint256 amount) external;
}

/// @title Robber
/// @notice Tries to enter the vault a second time while it is being paid, and notes how it was turned away.
contract Robber {
    /// @notice The vault it is after.
    Vault public vault;

    /// @notice How often the second withdrawal was refused.
    uint256 public repelled;

    /// @notice How often it went through.
    uint256 public succeeded;

    constructor(Vault vault_) {
        vault = vault_;
    }

    /// @notice Deposits the coin sent, then withdraws one half and, while that is paid, tries for the other.
    function rob() external payable {
        vault.deposit{value: msg.value}();
        vault.withdraw(msg.value / 2);
    }

    receive() external payable {
        try vault.withdraw(msg.value) {
            succeeded += 1;
        } catch {
            repelled += 1;
        }
    }
}
